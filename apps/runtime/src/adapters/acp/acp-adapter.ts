import { setTimeout as delay } from "node:timers/promises";
import type * as acp from "@agentclientprotocol/sdk";
import type {
  AgentAdapter,
  AgentEvent,
  PromptPart,
  TurnEnd,
} from "@molecule/runtime-sdk/agent-adapter";
import { retryDelayMs } from "@molecule/runtime-sdk/retry-delay";
import type { Log } from "../../log.ts";
import type { PlatformMcpEndpoint } from "../../mcp/platform-mcp-endpoint.ts";
import { AgentProcess } from "./agent-process.ts";
import type { AgentProfile, FailedPrompt } from "./agent-profile.ts";
import { EventQueue } from "./event-queue.ts";
import { LiveSessions, type OpenSession } from "./live-sessions.ts";
import { permissionAnswer } from "./permission-answer.ts";
import type { SessionBook } from "./session-book.ts";
import { translateUpdate } from "./translate-update.ts";

/** What an agent over ACP works with. */
export interface AcpAdapterDeps {
  readonly profile: AgentProfile;
  readonly book: SessionBook;
  readonly endpoint: PlatformMcpEndpoint;
  readonly log: Log;
}

/** A cancelled turn that has not ended by then is ended with its process, in ms. */
const CANCEL_WITHIN_MS = 5_000;
const RESPAWN = { baseMs: 250, capMs: 15_000 };
/** Starts in a row that may fail before a turn is told so. */
const MAX_FAILED_STARTS = 3;

/**
 * Drives one agent process over the Agent Client Protocol, with one session per conversation.
 *
 * Modes: stopped → running → (process lost → running again at the next turn) → stopped. A turn whose
 * process is lost before it did anything is tried once more; otherwise it fails and says so.
 */
export class AcpAdapter implements AgentAdapter {
  readonly name: string;
  readonly #deps: AcpAdapterDeps;
  readonly #stopping = new AbortController();
  readonly #listeners = new Map<string, (update: acp.SessionUpdate) => void>();
  #running: Promise<Running> | undefined;
  #failedStarts = 0;

  constructor(deps: AcpAdapterDeps) {
    this.#deps = deps;
    this.name = deps.profile.name;
  }

  start = async (): Promise<void> => {
    const reason = await this.#deps.profile.cannotStart();
    if (reason !== undefined) throw new Error(reason);
    await this.#ensureRunning();
  };

  prompt = (
    contextId: string,
    parts: readonly PromptPart[],
    signal: AbortSignal,
  ): AsyncIterable<AgentEvent> => {
    const events = new EventQueue<AgentEvent>();
    const either = AbortSignal.any([signal, this.#stopping.signal]);
    void this.#turn({ contextId, parts, signal: either, events })
      .catch((error: unknown): TurnEnd => {
        if (either.aborted) return { outcome: "cancelled" };
        this.#deps.log.error("a turn of the agent broke", { error });
        const sentence = "The agent could not be started for this message.";
        return { outcome: "failed", sentence, isCredentials: false };
      })
      .then((end) => {
        events.push({ kind: "done", ...end });
        events.close();
      });
    return events;
  };

  stop = async (): Promise<void> => {
    this.#stopping.abort();
    const running = await this.#running?.catch(() => undefined);
    await running?.process.stop();
    running?.sessions.closeAll();
    await this.#deps.book.flushed();
    await this.#deps.endpoint.stop();
  };

  async #turn(turn: Turn): Promise<TurnEnd> {
    for (let attempt = 1; ; attempt += 1) {
      const result = await this.#attempt(turn);
      if (!("kind" in result)) return result;
      if (turn.signal.aborted) return { outcome: "cancelled" };
      const { sentence, isCredentials } = result;
      const mayRepeat = result.kind === "lost" && !result.hasActed && attempt === 1;
      if (!mayRepeat) return { outcome: "failed", sentence, isCredentials };
      this.#deps.log.warn("the agent was lost before it did anything; trying once more");
    }
  }

  async #attempt(turn: Turn): Promise<TurnEnd | Failure> {
    turn.signal.throwIfAborted();
    const running = await this.#ensureRunning();
    turn.signal.throwIfAborted();
    const progress = { hasActed: false };
    try {
      const session = await running.sessions.open(turn.contextId);
      if (session.hasLostMemory) turn.events.push(LOST_MEMORY);
      return await this.#prompt(turn, { running, session, progress });
    } catch (error) {
      const failure = this.#deps.profile.explainFailure(error);
      this.#deps.log.warn("a prompt failed", { error, stderr: running.process.stderr.slice(-500) });
      if (failure.kind === "lost") await this.#discard(running);
      return { ...failure, ...progress };
    }
  }

  async #prompt(turn: Turn, on: Prompting): Promise<TurnEnd> {
    const { running, session, progress } = on;
    this.#listeners.set(session.sessionId, (update) => {
      for (const event of translateUpdate(update)) {
        progress.hasActed = true;
        turn.events.push(event);
      }
    });
    const cancel = this.#cancelOnAbort(turn.signal, running, session);
    try {
      const { stopReason } = await running.process.agent.request("session/prompt", {
        sessionId: session.sessionId,
        prompt: [
          ...(session.hasOldInstructions ? [newInstructions(this.#deps.profile.instructions)] : []),
          ...turn.parts.map(contentBlock),
        ],
      });
      return turn.signal.aborted
        ? { outcome: "cancelled" }
        : this.#deps.profile.explainStop(stopReason);
    } finally {
      cancel();
      this.#listeners.delete(session.sessionId);
      running.sessions.release(session);
    }
  }

  /** Asks for a cancel when the signal says so; ends the process when asking does not help. */
  #cancelOnAbort(signal: AbortSignal, running: Running, session: OpenSession): () => void {
    const done = new AbortController();
    const onAbort = async () => {
      const { sessionId } = session;
      await running.process.agent.notify("session/cancel", { sessionId }).catch(() => undefined);
      await delay(CANCEL_WITHIN_MS, undefined, { signal: done.signal });
      this.#deps.log.warn("the agent did not heed a cancel, so its process is ended");
      await this.#discard(running);
    };
    const listener = () => void onAbort().catch(() => undefined);
    if (signal.aborted) listener();
    else signal.addEventListener("abort", listener, { once: true });
    return () => {
      signal.removeEventListener("abort", listener);
      done.abort();
    };
  }

  async #ensureRunning(): Promise<Running> {
    const current = await this.#running?.catch(() => undefined);
    if (current?.process.isRunning === true) return current;
    if (current !== undefined) await this.#discard(current);
    this.#running ??= this.#startWithRetries();
    return this.#running;
  }

  async #startWithRetries(): Promise<Running> {
    for (;;) {
      this.#stopping.signal.throwIfAborted();
      try {
        const running = await this.#startOnce();
        this.#failedStarts = 0;
        return running;
      } catch (error) {
        this.#failedStarts += 1;
        this.#deps.log.error("the agent's process could not be started", { error });
        if (this.#failedStarts % MAX_FAILED_STARTS === 0) {
          this.#running = undefined;
          throw error;
        }
        const pauseMs = retryDelayMs(this.#failedStarts, RESPAWN, Math.random());
        await delay(pauseMs, undefined, { signal: this.#stopping.signal });
      }
    }
  }

  async #startOnce(): Promise<Running> {
    const { profile, book, endpoint, log } = this.#deps;
    const process = await AgentProcess.start(profile.command, {
      onUpdate: ({ sessionId, update }) => this.#listeners.get(sessionId)?.(update),
      onPermission: (request) => {
        log.info("the agent asked for permission", { tool: request.toolCall.title });
        return permissionAnswer(request);
      },
    });
    log.info("the agent's process is running", { agent: profile.name });
    return { process, sessions: new LiveSessions({ process, profile, book, endpoint, log }) };
  }

  /** The process and its sessions are gone; the next turn starts a new one. */
  async #discard(running: Running): Promise<void> {
    const current = await this.#running?.catch(() => undefined);
    if (current === running) this.#running = undefined;
    running.sessions.closeAll();
    await running.process.stop();
  }
}

interface Turn {
  readonly contextId: string;
  readonly parts: readonly PromptPart[];
  readonly signal: AbortSignal;
  readonly events: EventQueue<AgentEvent>;
}

interface Running {
  readonly process: AgentProcess;
  readonly sessions: LiveSessions;
}

interface Prompting {
  readonly running: Running;
  readonly session: OpenSession;
  /** Whether the agent said or did anything yet. */
  readonly progress: { hasActed: boolean };
}

type Failure = FailedPrompt & { readonly hasActed: boolean };

const LOST_MEMORY: AgentEvent = {
  kind: "text",
  text: "*(The memory of our earlier conversation could not be restored; this is a new one.)*\n\n",
};

/** A continued conversation keeps the instructions it began with, so the present ones are said in it. */
function newInstructions(text: string): acp.ContentBlock {
  return {
    type: "text",
    text: `<system-reminder>\nYour instructions have changed. These replace the earlier ones:\n\n${text}\n</system-reminder>\n`,
  };
}

function contentBlock(part: PromptPart): acp.ContentBlock {
  if (part.kind === "text") return { type: "text", text: part.text };
  if (part.kind === "note") {
    const text = `<system-reminder>\nThe platform says:\n\n${part.text}\n</system-reminder>\n`;
    return { type: "text", text };
  }
  const place = part.uri.replace(/^workspace:/, "");
  return { type: "text", text: `Attached file "${part.name}": ${place}` };
}
