/** Shapes of tokens and keys inside texts. */
const TOKEN_SHAPES =
  /\b(?:wst_|wbt_|sk-|ghp_|xox[abp]-)[\w-]{8,}|Bearer\s+\S+|\/\/[^/\s:@]+:[^/\s@]+@/g;

/** An error without what it carries: statements, parameters and causes' payloads stay out. */
export function serializeError(error: unknown): Record<string, unknown> {
  const chain: Record<string, unknown>[] = [];
  for (let current = error; current instanceof Error && chain.length < 4; current = current.cause) {
    const isStatement = "query" in current && "params" in current;
    const message = isStatement ? "a statement failed" : current.message;
    const code = "code" in current ? { code: String(current.code) } : {};
    chain.push({ type: current.name, message: scrub(message), ...code });
  }
  if (!(error instanceof Error)) return { message: "something that is no error was thrown" };
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return { ...chain[0], causes: chain.slice(1), stack: frames.slice(0, 12).join("\n") };
}

function scrub(text: string): string {
  return text.replace(TOKEN_SHAPES, "[redacted]").slice(0, 2000);
}
