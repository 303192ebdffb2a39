/** One tool call as a row of the chat. `detail` is one line for a person. */
export interface ToolCall {
  /** The agent's name for this call; later news of the same call replace it. */
  readonly id?: string;
  readonly name: string;
  readonly detail: string;
}

/** Where a reply is: `working` until the agent or the transport says how it ended. */
type ReplyPhase = "working" | "done" | "failed" | "canceled";

/** A reply while it arrives. Immutable: each envelope makes the next one. */
export interface A2aReply {
  readonly phase: ReplyPhase;
  /** Task of the agent, once known; what Stop cancels. */
  readonly taskId: string | null;
  /** Artifact texts in order of first appearance. */
  readonly artifacts: readonly { readonly id: string; readonly text: string }[];
  /** Text of a plain `message` answer or of the final status. */
  readonly message: string;
  /** What the agent says it is doing; replaced by each newer one. */
  readonly note: string;
  readonly tools: readonly ToolCall[];
  /** A sentence, when `phase` is `failed`. */
  readonly error: string | null;
}

/** A reply of which nothing has arrived. */
export const EMPTY_REPLY: A2aReply = {
  phase: "working",
  taskId: null,
  artifacts: [],
  message: "",
  note: "",
  tools: [],
  error: null,
};

/** The text of a reply so far: its artifacts, or else its message. */
export function replyText(reply: A2aReply): string {
  const text = reply.artifacts
    .map((artifact) => artifact.text)
    .filter((part) => part.trim() !== "")
    .join("\n\n");
  return text === "" ? reply.message : text;
}

/**
 * The reply after one JSON-RPC envelope of `message/stream` or `message/send`. Accepts the A2A 0.3
 * results (`task`, `status-update`, `artifact-update`, `message`, told apart by `kind`), the same
 * four wrapped by name as A2A 1.0 sends them, and the bare results of wire contract §6.5. Anything
 * else changes nothing.
 */
export function reduceReply(reply: A2aReply, envelope: unknown): A2aReply {
  if (!isRecord(envelope)) return reply;
  if (envelope.error !== undefined && envelope.error !== null) {
    return { ...reply, phase: "failed", error: errorSentence(envelope.error) };
  }
  const result = isRecord(envelope.result) ? envelope.result : envelope;
  const { kind, value } = unwrapResult(result);
  switch (kind) {
    case "task":
      return applyTask(reply, value);
    case "status-update":
      return applyStatus(withTask(reply, value.taskId), value.status, value.metadata);
    case "artifact-update":
      return applyArtifact(withTask(reply, value.taskId), value);
    case "message":
      return applyMessage(reply, value);
    case "unknown":
      return reply;
  }
}

/** The text parts of a message or artifact, in order, files and data left out. */
function partsText(parts: unknown): string {
  if (!Array.isArray(parts)) return "";
  return parts
    .map((part) => {
      if (!isRecord(part)) return "";
      const kind = part.kind ?? part.type;
      if (kind !== undefined && kind !== "text") return "";
      return typeof part.text === "string" ? part.text : "";
    })
    .join("");
}

type ResultKind = "task" | "status-update" | "artifact-update" | "message" | "unknown";
type Json = Readonly<Record<string, unknown>>;

const WRAPPED: readonly (readonly [string, ResultKind])[] = [
  ["statusUpdate", "status-update"],
  ["artifactUpdate", "artifact-update"],
  ["task", "task"],
  ["message", "message"],
];

function unwrapResult(result: Json): { kind: ResultKind; value: Json } {
  switch (result.kind) {
    case "task":
    case "status-update":
    case "artifact-update":
    case "message":
      return { kind: result.kind, value: result };
  }
  for (const [key, kind] of WRAPPED) {
    const value = result[key];
    if (isRecord(value)) return { kind, value };
  }
  if (Array.isArray(result.parts)) return { kind: "message", value: result };
  if (Array.isArray(result.artifacts) || isRecord(result.status)) {
    return { kind: "task", value: result };
  }
  return { kind: "unknown", value: result };
}

function applyTask(reply: A2aReply, task: Json): A2aReply {
  let next = withTask(reply, task.id);
  if (Array.isArray(task.artifacts)) {
    for (const artifact of task.artifacts) {
      if (isRecord(artifact)) next = putArtifact(next, artifact, false);
    }
  }
  return applyStatus(next, task.status, task.metadata);
}

function applyStatus(reply: A2aReply, status: unknown, metadata: unknown): A2aReply {
  const withTools = addTools(reply, metadata);
  if (!isRecord(status)) return withTools;
  const message = isRecord(status.message) ? status.message : null;
  const text = message === null ? "" : partsText(message.parts);
  const next = message === null ? withTools : addTools(withTools, message.metadata);
  switch (stateOf(status.state)) {
    case "completed":
    case "input-required":
      return { ...next, phase: "done", message: text === "" ? next.message : text, note: "" };
    case "canceled":
      return { ...next, phase: "canceled", note: "" };
    case "failed":
    case "rejected":
    case "auth-required":
      return {
        ...next,
        phase: "failed",
        note: "",
        error: text === "" ? "The agent could not finish this." : withoutPrefix(text),
      };
    default:
      return text === "" ? next : { ...next, note: text };
  }
}

function applyArtifact(reply: A2aReply, update: Json): A2aReply {
  if (!isRecord(update.artifact)) return reply;
  return putArtifact(addTools(reply, update.metadata), update.artifact, update.append === true);
}

function putArtifact(reply: A2aReply, artifact: Json, append: boolean): A2aReply {
  const id = typeof artifact.artifactId === "string" ? artifact.artifactId : "";
  const text = partsText(artifact.parts);
  const isKnown = reply.artifacts.some((known) => known.id === id);
  const artifacts = isKnown
    ? reply.artifacts.map((known) =>
        known.id === id ? { id, text: append ? known.text + text : text } : known,
      )
    : [...reply.artifacts, { id, text }];
  return addTools({ ...reply, artifacts }, artifact.metadata);
}

function applyMessage(reply: A2aReply, message: Json): A2aReply {
  const text = partsText(message.parts);
  const next = addTools(withTask(reply, message.taskId), message.metadata);
  return { ...next, phase: "done", message: text, note: "" };
}

function withTask(reply: A2aReply, taskId: unknown): A2aReply {
  return typeof taskId === "string" && taskId !== "" ? { ...reply, taskId } : reply;
}

/** `tool_trace` is the whole list so far; `tool` is one more call. */
function addTools(reply: A2aReply, metadata: unknown): A2aReply {
  if (!isRecord(metadata)) return reply;
  if (Array.isArray(metadata.tool_trace)) {
    return { ...reply, tools: metadata.tool_trace.flatMap(toolCall) };
  }
  const [added] = toolCall(metadata.tool);
  if (added === undefined) return reply;
  const isKnown = added.id !== undefined && reply.tools.some((tool) => tool.id === added.id);
  const tools = isKnown
    ? reply.tools.map((tool) => (tool.id === added.id ? added : tool))
    : [...reply.tools, added];
  return { ...reply, tools };
}

function toolCall(value: unknown): ToolCall[] {
  if (!isRecord(value)) return [];
  const name = value.name ?? value.tool ?? value.title;
  if (typeof name !== "string" || name === "") return [];
  const detail = value.detail ?? value.input ?? value.arguments ?? "";
  const text = typeof detail === "string" ? detail : JSON.stringify(detail);
  return [{ ...(typeof value.id === "string" ? { id: value.id } : {}), name, detail: text }];
}

/** `TASK_STATE_WORKING` of A2A 1.0 and `working` of 0.3 are one state. */
function stateOf(state: unknown): string {
  if (typeof state !== "string") return "";
  return state
    .replace(/^TASK_STATE_/, "")
    .toLowerCase()
    .replace("cancelled", "canceled")
    .replaceAll("_", "-");
}

/** Runtimes mark the text of a failed turn so that programs see it. Source: wire contract §6.5. */
function withoutPrefix(text: string): string {
  return text.replace(/^Agent error:\s*/, "");
}

function errorSentence(error: unknown): string {
  if (typeof error === "string") return withoutPrefix(error);
  if (isRecord(error) && typeof error.message === "string" && error.message !== "") {
    return withoutPrefix(error.message);
  }
  return "The agent answered with an error.";
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
