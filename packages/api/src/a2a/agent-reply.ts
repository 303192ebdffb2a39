/** What an agent answered, read from any of the shapes runtimes produce. Source: contract §6.5. */
export interface AgentReply {
  readonly text: string;
  /** A JSON-RPC error, a failed task, or text that begins with the agents' mark of an error. */
  readonly isError: boolean;
  /** `result.metadata.tool_trace`; null when there is none. */
  readonly toolTrace: readonly unknown[] | null;
}

const ERROR_MARK = "Agent error:";
const FAILED_STATES = ["failed", "rejected"];
type Fields = Readonly<Record<string, unknown>>;

/** The reply in a JSON-RPC answer; text is empty when it holds none. */
export function readReply(body: unknown): AgentReply {
  const envelope = fields(body);
  const error = envelope.error;
  if (error !== undefined && error !== null) {
    const text = typeof error === "string" ? error : fields(error).message;
    return { text: typeof text === "string" ? text : "", isError: true, toolTrace: null };
  }
  const outer = fields(envelope.result);
  const result = "task" in outer ? fields(outer.task) : outer;
  const status = fields(result.status);
  const text =
    typeof envelope.result === "string"
      ? envelope.result
      : (joined(result.parts) ??
        joined(list(result.artifacts).flatMap((artifact) => list(fields(artifact).parts))) ??
        joined(fields(result.message).parts) ??
        joined(fields(status.message).parts) ??
        "");
  const hasFailed = FAILED_STATES.includes(taskState(status.state));
  const shown = hasFailed ? (joined(fields(status.message).parts) ?? text) : text;
  return {
    text: shown.startsWith(ERROR_MARK) ? shown.slice(ERROR_MARK.length).trim() : shown,
    isError: hasFailed || text.startsWith(ERROR_MARK),
    toolTrace: traceOf(result.metadata) ?? traceOf(fields(status.message).metadata),
  };
}

/** A task's state in one spelling: `TASK_STATE_WORKING` of A2A 1.0 and `working` of 0.3 are one. */
export function taskState(state: unknown): string {
  if (typeof state !== "string") return "";
  return state
    .replace(/^TASK_STATE_/, "")
    .toLowerCase()
    .replaceAll("_", "-");
}

/** The text of a message's parts, of both kinds; null when it has no text part. */
export function joined(parts: unknown): string | null {
  const texts = list(parts).flatMap((part) => {
    const { text } = fields(part);
    return typeof text === "string" ? [text] : [];
  });
  return texts.length === 0 ? null : texts.join("");
}

/** File parts of a message, as a chat shows them. */
export function filesOf(parts: unknown): { readonly name: string; readonly uri: string }[] {
  return list(parts).flatMap((part) => {
    const file = fields(fields(part).file);
    return typeof file.uri === "string" && typeof file.name === "string"
      ? [{ uri: file.uri, name: file.name }]
      : [];
  });
}

function traceOf(metadata: unknown): readonly unknown[] | null {
  const trace = fields(metadata).tool_trace;
  return Array.isArray(trace) ? trace : null;
}

/** The value as an object; {} for anything else. */
export function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}

/** The value as an array; [] for anything else. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
