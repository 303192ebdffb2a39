/** What an agent answered, as text. */
export interface Reply {
  readonly text: string;
  /** The agent said that it failed: a JSON-RPC error, a failed task, or text that begins so. */
  readonly isError: boolean;
}

/** How the answer of a failed turn begins. Source: wire contract §6.5. */
export const AGENT_ERROR_PREFIX = "Agent error:";

/**
 * The text of a JSON-RPC answer in any of the shapes runtimes produce: `result.parts`,
 * `result.artifacts[].parts`, `result.message.parts`, `result.status.message.parts`, a bare string, or
 * `error`. Undefined when there is no answer in it. Source: wire contract §6.5.
 */
export function replyOf(body: unknown): Reply | undefined {
  const envelope = record(body);
  if (envelope === undefined) return undefined;
  const error = envelope.error;
  if (error !== undefined && error !== null) {
    const text = typeof error === "string" ? error : textOf(record(error)?.message);
    return { text: text ?? "The agent reported an error.", isError: true };
  }
  if (typeof envelope.result === "string") return reply(envelope.result, false);
  const result = record(envelope.result);
  if (result === undefined) return undefined;
  const status = record(result.status);
  const hasFailed = status?.state === "failed" || status?.state === "rejected";
  const text =
    joinParts(result.parts) ??
    joinParts(list(result.artifacts).flatMap((artifact) => list(record(artifact)?.parts))) ??
    joinParts(record(result.message)?.parts) ??
    joinParts(record(status?.message)?.parts);
  if (hasFailed) {
    return { text: joinParts(record(status?.message)?.parts) ?? text ?? "", isError: true };
  }
  return text === undefined && status === undefined ? undefined : reply(text ?? "", false);
}

function reply(text: string, isError: boolean): Reply {
  return { text, isError: isError || text.startsWith(AGENT_ERROR_PREFIX) };
}

function joinParts(parts: unknown): string | undefined {
  const texts = list(parts).flatMap((part) => textOf(record(part)?.text) ?? []);
  return texts.length === 0 ? undefined : texts.join("");
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
