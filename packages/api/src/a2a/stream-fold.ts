import { fields, list, taskState } from "./agent-reply.ts";

type Json = Record<string, unknown>;

/**
 * Folds the events of `message/stream` into the answer that `message/send` would have given, so that
 * a streamed reply is stored like any other. Feed it bytes as they come; lines may be cut anywhere.
 */
export class StreamFold {
  readonly #decoder = new TextDecoder();
  #pending = "";
  #data: string[] = [];
  #error: unknown = null;
  #message: Json | null = null;
  #task: Json | null = null;
  #isFinal = false;
  readonly #artifacts = new Map<string, Json>();

  /** The agent's name for the task; null until it told. */
  get taskId(): string | null {
    const id = this.#task?.id;
    return typeof id === "string" ? id : null;
  }

  /** The stream said that nothing more comes. */
  get isComplete(): boolean {
    return this.#isFinal;
  }

  /** Takes the next bytes. Lines that are no JSON are skipped: the stream is the agent's own. */
  feed(chunk: Uint8Array): void {
    this.#pending += this.#decoder.decode(chunk, { stream: true });
    const lines = this.#pending.split(/\r\n|\n|\r/);
    this.#pending = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  /** The answer so far as JSON-RPC; null when nothing came. */
  answer(id: unknown): Json | null {
    this.#line(this.#pending);
    this.#line("");
    this.#pending = "";
    const envelope = { jsonrpc: "2.0", id: id ?? null };
    if (this.#error !== null) return { ...envelope, error: this.#error };
    if (this.#message !== null) return { ...envelope, result: this.#message };
    if (this.#task === null && this.#artifacts.size === 0) return null;
    const artifacts = [...this.#artifacts.values()];
    const result = {
      kind: "task",
      ...this.#task,
      ...(artifacts.length === 0 ? {} : { artifacts }),
    };
    return { ...envelope, result };
  }

  #line(line: string): void {
    if (line.startsWith("data:")) {
      this.#data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
      return;
    }
    if (line !== "" || this.#data.length === 0) return;
    const text = this.#data.join("\n");
    this.#data = [];
    try {
      this.#event(fields(JSON.parse(text)));
    } catch {
      // Not JSON: a comment of the agent's, or a line of a protocol we do not speak.
    }
  }

  #event(event: Json | Readonly<Json>): void {
    if (event.error !== undefined && event.error !== null) {
      this.#error = event.error;
      this.#isFinal = true;
      return;
    }
    const result = unwrapped(fields(event.result));
    switch (kindOf(result)) {
      case "message":
        this.#message = { ...result };
        this.#isFinal = true;
        return;
      case "task":
        this.#takeTask(result);
        return;
      case "status-update":
        this.#takeStatus(result);
        return;
      case "artifact-update":
        this.#takeArtifact(result);
        return;
      default:
    }
  }

  #takeTask(task: Readonly<Json>): void {
    const { history: _history, artifacts, ...rest } = task;
    this.#task = { ...this.#task, ...rest };
    for (const artifact of list(artifacts)) this.#putArtifact(fields(artifact), false);
    if (isEnd(fields(task.status).state)) this.#isFinal = true;
  }

  #takeStatus(update: Readonly<Json>): void {
    this.#task = {
      ...this.#task,
      id: update.taskId ?? this.#task?.id,
      contextId: update.contextId ?? this.#task?.contextId,
      status: update.status,
      ...(update.metadata === undefined || update.metadata === null
        ? {}
        : { metadata: { ...fields(this.#task?.metadata), ...fields(update.metadata) } }),
    };
    if (update.final === true || isEnd(fields(update.status).state)) this.#isFinal = true;
  }

  #takeArtifact(update: Readonly<Json>): void {
    this.#task = {
      ...this.#task,
      id: update.taskId ?? this.#task?.id,
      contextId: update.contextId ?? this.#task?.contextId,
    };
    this.#putArtifact(fields(update.artifact), update.append === true);
  }

  #putArtifact(artifact: Readonly<Json>, isAppended: boolean): void {
    const id = String(artifact.artifactId ?? "answer");
    const known = this.#artifacts.get(id);
    const parts = [...list(isAppended ? known?.parts : undefined), ...list(artifact.parts)];
    this.#artifacts.set(id, { ...known, ...artifact, parts: joinedText(parts) });
  }
}

/** Text that was streamed word by word is one part, because clients read the first one as the whole. */
function joinedText(parts: readonly unknown[]): unknown[] {
  const out: unknown[] = [];
  for (const part of parts) {
    const last = fields(out.at(-1));
    const next = fields(part);
    if (typeof last.text === "string" && typeof next.text === "string") {
      out[out.length - 1] = { ...last, text: last.text + next.text };
    } else out.push(part);
  }
  return out;
}

/** A2A 1.0 wraps what 0.3 marks with `kind`. */
function unwrapped(result: Readonly<Json>): Readonly<Json> {
  const kinds = {
    task: "task",
    statusUpdate: "status-update",
    artifactUpdate: "artifact-update",
    message: "message",
  };
  for (const [wrapper, kind] of Object.entries(kinds)) {
    const inner = result[wrapper];
    if (typeof inner === "object" && inner !== null) return { ...inner, kind };
  }
  return result;
}

function kindOf(result: Readonly<Json>): string {
  if (typeof result.kind === "string") return result.kind;
  if ("artifact" in result) return "artifact-update";
  if ("status" in result && "id" in result) return "task";
  if ("status" in result) return "status-update";
  return "parts" in result ? "message" : "";
}

const END_STATES = [
  "completed",
  "failed",
  "canceled",
  "rejected",
  "input-required",
  "auth-required",
];

function isEnd(state: unknown): boolean {
  return END_STATES.includes(taskState(state));
}
