import type { FailedPrompt } from "../acp/agent-profile.ts";

/** Source: ACP error codes; -32000 and -32002 as measured with claude-agent-acp 0.100.0. */
const AUTH_REQUIRED = -32_000;
const RESOURCE_NOT_FOUND = -32_002;

/** Kinds the agent puts into `data.errorKind`, and what they mean for a person. */
const SENTENCES: Readonly<Record<string, (model: string) => string>> = {
  model_not_found: (model) =>
    `The model ${model} does not exist or is not open to this key. Choose another one under Configure.`,
  rate_limit: () =>
    "The model provider is limiting requests at the moment. Send the message again in a while.",
  billing_error: () =>
    "The model provider refused the request because of billing. Check the account of the key.",
  // Also what nobody answers: the agent tells the two apart in its text alone.
  server_error: () =>
    "The model provider could not be reached or had an error of its own. Send the message again in a while.",
  overloaded: () => "The model provider is overloaded. Send the message again in a while.",
  invalid_request: () => "The model provider refused the request as invalid.",
  max_output_tokens: () => "The answer grew longer than the model allows.",
};
const LOST_KINDS = new Set(["transport_lost", "worker_shutdown"]);

/** What a rejected prompt of the agent means. Classified by code and kind, never by text. */
export function explainClaudeFailure(error: unknown, model: string | undefined): FailedPrompt {
  const { code, kind } = readError(error);
  if (code === AUTH_REQUIRED || kind === "authentication_failed") {
    return {
      kind: "failed",
      sentence:
        "The model provider did not accept the key. Check ANTHROPIC_API_KEY in the secrets of this workspace.",
      isCredentials: true,
    };
  }
  const explain = kind === undefined ? undefined : SENTENCES[kind];
  if (explain !== undefined) {
    const named = model === undefined ? "that is set" : `"${model}"`;
    return { kind: "failed", sentence: explain(named), isCredentials: false };
  }
  if (code === undefined || code === RESOURCE_NOT_FOUND || isLost(kind)) {
    return {
      kind: "lost",
      sentence: "The agent's process ended in the middle of the turn. Send the message again.",
      isCredentials: false,
    };
  }
  return {
    kind: "failed",
    sentence: "The model provider or the agent refused the request.",
    isCredentials: false,
  };
}

function isLost(kind: string | undefined): boolean {
  return kind !== undefined && LOST_KINDS.has(kind);
}

/** An ACP error carries a code; a broken connection carries none. */
function readError(error: unknown): { code: number | undefined; kind: string | undefined } {
  if (typeof error !== "object" || error === null) return { code: undefined, kind: undefined };
  const code = "code" in error && typeof error.code === "number" ? error.code : undefined;
  const data = "data" in error ? error.data : undefined;
  const kind =
    typeof data === "object" && data !== null && "errorKind" in data
      ? String(data.errorKind)
      : undefined;
  return { code, kind };
}
