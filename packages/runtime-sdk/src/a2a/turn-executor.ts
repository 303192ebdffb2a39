import { randomUUID } from "node:crypto";
import { type Message, type Part, Role, type Task, TaskState } from "@a2a-js/sdk";
import {
  type AgentExecutor,
  type ExecutionEventBus,
  AgentEvent as Publish,
  type RequestContext,
} from "@a2a-js/sdk/server";
import type { AgentAdapter, AgentEvent, PromptPart, TurnEnd } from "../agent-adapter.ts";
import type { Log } from "../log.ts";
import { AGENT_ERROR_PREFIX } from "../reply-text.ts";
import type { Note, NoteBook } from "../turns/note-book.ts";
import { TooManyWaitingError, type TurnQueue } from "../turns/turn-queue.ts";
import { TextBatcher } from "./text-batcher.ts";

/** Who wants to know what the agent is doing. */
export interface TurnWatcher {
  /** Answers a handle of the turn; `ended` is called exactly once. */
  readonly turnStarted: (title: string) => {
    readonly doing: (text: string) => void;
    readonly ended: (end: TurnEnd) => void;
  };
}

/** What the executor needs. */
export interface TurnExecutorDeps {
  readonly adapter: AgentAdapter;
  readonly queue: TurnQueue;
  readonly watcher: TurnWatcher;
  readonly notes: NoteBook;
  readonly log: Log;
}

/** Tool uses that a task's `metadata.tool_trace` carries at most. */
const MAX_TOOL_TRACE = 100;

/**
 * Turns A2A messages into turns of the agent. A message waits for its conversation and for a free
 * place; a client that hangs up does not stop the turn, a cancel does.
 */
export class TurnExecutor implements AgentExecutor {
  readonly #deps: TurnExecutorDeps;
  readonly #open = new Map<string, AbortController>();
  readonly #settled = new Set<Promise<void>>();

  constructor(deps: TurnExecutorDeps) {
    this.#deps = deps;
  }

  /** Turns that run or wait. */
  get openTurns(): number {
    return this.#open.size;
  }

  execute = async (request: RequestContext, bus: ExecutionEventBus): Promise<void> => {
    if (isNote(request)) return await this.#note(new TaskVoice(request, bus), request);
    const controller = new AbortController();
    this.#open.set(request.taskId, controller);
    const turn = this.#run(new TaskVoice(request, bus), request, controller.signal).finally(() => {
      this.#open.delete(request.taskId);
      this.#settled.delete(turn);
    });
    this.#settled.add(turn);
    await turn;
  };

  /** The task's stream ends with `canceled` soon after. */
  cancelTask = async (taskId: string): Promise<void> => {
    this.#open.get(taskId)?.abort();
  };

  /** Cancels every turn; resolves when all have ended. */
  async cancelAll(): Promise<void> {
    for (const controller of this.#open.values()) controller.abort();
    await Promise.allSettled(this.#settled);
  }

  async #told(notes: readonly Note[]): Promise<void> {
    await this.#deps.notes.told(notes).catch((error: unknown) => {
      this.#deps.log.warn("a note is said again with the next turn", { error });
    });
  }

  /** Answered at once and said to the agent with its next turn: nobody waits for a model's reply. */
  async #note(voice: TaskVoice, request: RequestContext): Promise<void> {
    voice.submitted();
    const { messageId, parts } = request.userMessage;
    const text = promptParts(parts)
      .flatMap((part) => (part.kind === "text" ? [part.text] : []))
      .join("\n");
    const end = await this.#deps.notes.take({ id: messageId, text }).then(
      (): TurnEnd => ({ outcome: "completed" }),
      (error: unknown): TurnEnd => {
        this.#deps.log.error("a note of the platform could not be kept", { error });
        return failed("The note could not be kept.");
      },
    );
    voice.finished(end);
  }

  async #run(voice: TaskVoice, request: RequestContext, signal: AbortSignal): Promise<void> {
    voice.submitted();
    const end = await this.#deps.queue
      .run(request.contextId, signal, () => this.#turn(voice, request, signal))
      .catch((error: unknown): TurnEnd => {
        if (signal.aborted) return { outcome: "cancelled" };
        if (error instanceof TooManyWaitingError) return failed(error.message);
        this.#deps.log.error("a turn broke", { error });
        return failed("The agent's turn broke off because of an internal error.");
      });
    voice.finished(end);
  }

  async #turn(voice: TaskVoice, request: RequestContext, signal: AbortSignal): Promise<TurnEnd> {
    const parts = promptParts(request.userMessage.parts);
    const watched = this.#deps.watcher.turnStarted(titleOf(parts));
    const notes = this.#deps.notes.waiting;
    const said = [...notes.map(({ text }): PromptPart => ({ kind: "note", text })), ...parts];
    let end: TurnEnd = failed("The agent ended its turn without saying how.");
    try {
      voice.working();
      for await (const event of this.#deps.adapter.prompt(request.contextId, said, signal)) {
        if (event.kind === "done") end = event;
        else voice.say(event);
        if (event.kind === "status") watched.doing(event.text);
      }
      if (end.outcome === "completed") await this.#told(notes);
      return end;
    } finally {
      voice.flush();
      watched.ended(end);
    }
  }
}

/** Source: contract §4.3. */
function isNote(request: RequestContext): boolean {
  return request.userMessage.metadata?.restart_context === true;
}

/** Publishes what happens in one task, in the protocol's order. */
class TaskVoice {
  readonly #taskId: string;
  readonly #contextId: string;
  readonly #task: Task | undefined;
  readonly #question: Message;
  readonly #bus: ExecutionEventBus;
  readonly #artifactId = randomUUID();
  readonly #text: TextBatcher;
  readonly #tools = new Map<string, { name: string; detail: string; state: string }>();
  #hasText = false;

  constructor(request: RequestContext, bus: ExecutionEventBus) {
    this.#taskId = request.taskId;
    this.#contextId = request.contextId;
    this.#task = request.task;
    this.#question = request.userMessage;
    this.#bus = bus;
    this.#text = new TextBatcher((text) => this.#publishText(text));
  }

  submitted(): void {
    this.#bus.publish(
      Publish.task({
        id: this.#taskId,
        contextId: this.#contextId,
        status: { state: TaskState.TASK_STATE_SUBMITTED, message: undefined, timestamp: now() },
        artifacts: [],
        history: this.#task?.history ?? [this.#question],
        metadata: {},
      }),
    );
  }

  working(): void {
    this.#status(TaskState.TASK_STATE_WORKING, undefined, {});
  }

  say(event: Exclude<AgentEvent, { kind: "done" }>): void {
    if (event.kind === "text") {
      this.#text.add(event.text);
      return;
    }
    this.#text.flush();
    if (event.kind === "status") {
      this.#status(TaskState.TASK_STATE_WORKING, event.text, {});
      return;
    }
    const { id, name, detail, state } = event;
    const known = this.#tools.get(id);
    const tool = {
      name: name || (known?.name ?? ""),
      detail: detail || (known?.detail ?? ""),
      state,
    };
    if (known !== undefined || this.#tools.size < MAX_TOOL_TRACE) this.#tools.set(id, tool);
    this.#status(TaskState.TASK_STATE_WORKING, undefined, { tool: { id, ...tool } });
  }

  flush(): void {
    this.#text.flush();
  }

  finished(end: TurnEnd): void {
    this.#text.flush();
    const metadata = this.#tools.size === 0 ? {} : { tool_trace: [...this.#tools.values()] };
    switch (end.outcome) {
      case "completed":
        if (!this.#hasText) this.#publishText("");
        this.#status(TaskState.TASK_STATE_COMPLETED, undefined, metadata);
        return;
      case "cancelled":
        this.#status(TaskState.TASK_STATE_CANCELED, "The turn was cancelled.", metadata);
        return;
      case "failed":
        this.#status(TaskState.TASK_STATE_FAILED, `${AGENT_ERROR_PREFIX} ${end.sentence}`, {
          ...metadata,
          is_credentials: end.isCredentials,
        });
        return;
    }
  }

  #publishText(text: string): void {
    const append = this.#hasText;
    this.#hasText = true;
    this.#bus.publish(
      Publish.artifactUpdate({
        taskId: this.#taskId,
        contextId: this.#contextId,
        artifact: {
          artifactId: this.#artifactId,
          name: "answer",
          description: "",
          parts: [textPart(text)],
          metadata: undefined,
          extensions: [],
        },
        append,
        lastChunk: false,
        metadata: undefined,
      }),
    );
  }

  #status(state: TaskState, text: string | undefined, metadata: Record<string, unknown>): void {
    const message =
      text === undefined
        ? undefined
        : {
            messageId: randomUUID(),
            contextId: this.#contextId,
            taskId: this.#taskId,
            role: Role.ROLE_AGENT,
            parts: [textPart(text)],
            metadata: undefined,
            extensions: [],
            referenceTaskIds: [],
          };
    this.#bus.publish(
      Publish.statusUpdate({
        taskId: this.#taskId,
        contextId: this.#contextId,
        status: { state, message, timestamp: now() },
        metadata,
      }),
    );
  }
}

function failed(sentence: string): TurnEnd {
  return { outcome: "failed", sentence, isCredentials: false };
}

function textPart(value: string): Part {
  return {
    content: { $case: "text", value },
    metadata: undefined,
    filename: "",
    mediaType: "text/plain",
  };
}

function promptParts(parts: readonly Part[]): PromptPart[] {
  return parts.flatMap((part): PromptPart[] => {
    switch (part.content?.$case) {
      case "text":
        return [{ kind: "text", text: part.content.value }];
      case "url":
        return [
          {
            kind: "file",
            name: part.filename,
            uri: part.content.value,
            mimeType: part.mediaType === "" ? undefined : part.mediaType,
          },
        ];
      case "data":
        return [{ kind: "text", text: JSON.stringify(part.content.value) }];
      default:
        return [];
    }
  });
}

/** What the card shows while the turn runs: the beginning of the question on one line. */
function titleOf(parts: readonly PromptPart[]): string {
  const text = parts
    .flatMap((part) => (part.kind === "text" ? [part.text] : []))
    .join(" ")
    .replace(/\s+/g, " ")
    .trim();
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

function now(): string {
  return new Date().toISOString();
}
