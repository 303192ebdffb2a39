import { randomBytes } from "node:crypto";
import type { TerminalAsk, TerminalView } from "@molecule/contracts/terminal";
import type { Database } from "@molecule/db/database";
import { findPlace } from "@molecule/db/lifecycle/find-place";
import { recordLifecycle } from "@molecule/db/lifecycle/record-lifecycle";
import { DomainError } from "@molecule/domain/errors";
import type { Actor, Backend } from "@molecule/domain/sets";
import {
  MAX_TERMINALS_PER_WORKSPACE,
  sharedSize,
  TERMINAL_END_TEXTS,
  TERMINAL_OPEN_MS,
  type TerminalEnd,
  type TerminalSize,
  terminalRefusal,
} from "@molecule/domain/terminal";
import {
  BackendError,
  type ComputeBackend,
  type InstanceKey,
  type Shell,
  type TerminalAccess,
} from "../provisioning/compute-backend.ts";
import type { Log } from "../runtime/log.ts";
import { RunLoop } from "../runtime/run-loop.ts";
import type { Stoppable } from "../runtime/scope.ts";
import { TerminalSession, type ViewerSink, type Viewing } from "./terminal-session.ts";

/** What the terminals of one worker need. */
export interface TerminalDeps {
  readonly db: Database;
  readonly backendOf: (kind: Backend) => ComputeBackend | null;
  /** The worker's own id, the first part of its sessions' names. */
  readonly workerId: string;
  /** Silence of every viewer after which a terminal is closed, in ms. */
  readonly idleMs: number;
  readonly nowMs: () => number;
  readonly log: Log;
  /** How often idle times and attempts are looked at, in ms. */
  readonly checkEveryMs?: number;
  /** How long a shell may take to open, in ms. */
  readonly openMs?: number;
}

const CHECK_EVERY_MS = 5_000;
/** What a shell keeps after its worker went without a word: the idle time and this. */
const ORPHAN_GRACE_SECONDS = 300;

/** Why a viewer gets no terminal, and what is known beyond that. */
interface Refusal {
  readonly end: TerminalEnd;
  /** The real cause as the backend says it, instead of the end's own sentences. */
  readonly cause?: { readonly sentence: string; readonly next: string };
}

/**
 * The terminals of this worker: shells with their scrollback, by id, while their viewers come and go.
 * A session's id begins with the id of its worker, so that every server finds it again.
 */
export class TerminalSessions implements Stoppable {
  readonly #deps: TerminalDeps;
  readonly #sessions = new Map<string, TerminalSession>();
  /** Shells being opened, by workspace; they count as open. */
  readonly #opening = new Map<string, number>();
  readonly #unfinished = new Set<Promise<void>>();
  readonly #loop: RunLoop;
  #isStopping = false;

  constructor(deps: TerminalDeps) {
    this.#deps = deps;
    const everyMs = deps.checkEveryMs ?? CHECK_EVERY_MS;
    this.#loop = new RunLoop({
      name: "terminals",
      everyMs,
      firstAfterMs: everyMs,
      run: () => this.check(),
      log: deps.log,
    });
  }

  /**
   * Shows a terminal to a viewer: a living one, or a new one. Stages, output and the end go to the sink.
   * Null when it came to nothing; the sink was told why then.
   */
  async attach(ask: TerminalAsk, sink: ViewerSink, gone: AbortSignal): Promise<Viewing | null> {
    sink.tell({ kind: "stage", stage: "reaching" });
    const found = await this.#find(ask, sink, gone).catch((error: unknown) => {
      this.#deps.log.error({ err: error }, "a terminal could not be opened");
      return { end: "unreachable" } as const;
    });
    if ("end" in found) {
      refuse(sink, found);
      return null;
    }
    const { session, isNew } = found;
    const viewing = gone.aborted ? null : session.attach(sink, ask, isNew);
    if (viewing !== null) return viewing;
    if (isNew) session.close("closed");
    else refuse(sink, { end: session.isEnded ? "gone" : "too_many_viewers" });
    return null;
  }

  /** The living terminals of a workspace, oldest first. */
  list(workspaceId: string): readonly TerminalView[] {
    return this.#of(workspaceId).map((session) => ({
      session: session.id,
      openedBy: session.openedBy,
      openedAt: new Date(session.openedAtMs).toISOString(),
      viewers: session.viewerCount,
      attemptNo: session.key.attemptNo,
    }));
  }

  /** Looks at idle times and at where the workspaces are. */
  async check(): Promise<void> {
    for (const session of [...this.#sessions.values()]) {
      session.check(await findPlace(this.#deps.db, session.key.workspaceId));
    }
  }

  /** Tells every viewer and ends every shell. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#loop.stop();
    for (const session of [...this.#sessions.values()]) session.close("worker_stopping");
    await Promise.allSettled([...this.#unfinished]);
  }

  async #find(
    ask: TerminalAsk,
    sink: ViewerSink,
    gone: AbortSignal,
  ): Promise<{ readonly session: TerminalSession; readonly isNew: boolean } | Refusal> {
    const place = await findPlace(this.#deps.db, ask.workspaceId);
    const refusal = terminalRefusal(place, ask.attemptNo);
    if (place === null || refusal !== null) return { end: refusal ?? "gone" };
    if (ask.session !== null) {
      const session = this.#sessions.get(ask.session);
      const isOurs = session?.key.workspaceId === ask.workspaceId;
      return session !== undefined && isOurs ? { session, isNew: false } : { end: "gone" };
    }
    const access = this.#deps.backendOf(place.backend)?.terminal;
    if (access === undefined || access.isOff) return { end: "off" };
    if (this.#isStopping) return { end: "worker_stopping" };
    const key = { workspaceId: ask.workspaceId, attemptNo: place.attemptNo };
    if (!this.#reserve(key.workspaceId, access)) return { end: "too_many" };
    try {
      sink.tell({ kind: "stage", stage: "opening" });
      return await this.#open(ask, key, access, gone);
    } finally {
      this.#reserved(key.workspaceId, -1);
    }
  }

  async #open(
    ask: TerminalAsk,
    key: InstanceKey,
    access: TerminalAccess,
    gone: AbortSignal,
  ): Promise<{ readonly session: TerminalSession; readonly isNew: boolean } | Refusal> {
    const { workerId, idleMs, nowMs, openMs } = this.#deps;
    const id = `${workerId}.${randomBytes(12).toString("hex")}`;
    const size = sharedSize([ask]);
    const idleSeconds = Math.ceil(idleMs / 1000) + ORPHAN_GRACE_SECONDS;
    const request = { key, terminalId: id, ...size, idleSeconds };
    const deadline = AbortSignal.timeout(openMs ?? TERMINAL_OPEN_MS);
    const shell = await openWithin(access, request, AbortSignal.any([deadline, gone])).catch(
      (error: unknown): Refusal => {
        if (deadline.aborted) return { end: "timed_out" };
        if (gone.aborted) return { end: "closed" };
        this.#deps.log.warn({ err: error, workspaceId: key.workspaceId }, "no shell was opened");
        return refusalOf(error);
      },
    );
    if (shell === null) return { end: "not_running" };
    if ("end" in shell) return shell;
    const session = this.#keep({ id, key, shell, idleMs, nowMs }, ask.actor, size);
    this.#note(key.workspaceId, ask.actor, `${ask.actor.name} opened a terminal.`);
    // The stop that came meanwhile has not seen it.
    if (this.#isStopping) session.close("worker_stopping");
    return { session, isNew: true };
  }

  #keep(
    made: Pick<
      ConstructorParameters<typeof TerminalSession>[0],
      "id" | "key" | "shell" | "idleMs" | "nowMs"
    >,
    actor: Actor,
    size: TerminalSize,
  ): TerminalSession {
    const { workspaceId } = made.key;
    const session = new TerminalSession(
      {
        ...made,
        openedBy: actor.name,
        findPlace: () => findPlace(this.#deps.db, workspaceId),
        onEnd: (end, openedMs, closing) => {
          this.#sessions.delete(made.id);
          this.#await(closing, "a shell was not ended");
          const { sentence } = TERMINAL_END_TEXTS[end];
          const seconds = Math.round(openedMs / 1000);
          const told = `The terminal that ${actor.name} opened was open for ${seconds} s. ${sentence}`;
          this.#note(workspaceId, actor, told);
        },
      },
      size,
    );
    this.#sessions.set(made.id, session);
    return session;
  }

  #of(workspaceId: string): readonly TerminalSession[] {
    return [...this.#sessions.values()].filter(({ key }) => key.workspaceId === workspaceId);
  }

  #reserve(workspaceId: string, access: TerminalAccess): boolean {
    const most = Math.min(access.maxPerInstance ?? Infinity, MAX_TERMINALS_PER_WORKSPACE);
    const open = this.#of(workspaceId).length + (this.#opening.get(workspaceId) ?? 0);
    if (open >= most) return false;
    this.#reserved(workspaceId, 1);
    return true;
  }

  #reserved(workspaceId: string, more: 1 | -1): void {
    const count = (this.#opening.get(workspaceId) ?? 0) + more;
    if (count === 0) this.#opening.delete(workspaceId);
    else this.#opening.set(workspaceId, count);
  }

  /** Recorded for whoever reads the activity; a database that is down costs the record, not the shell. */
  #note(workspaceId: string, actor: Actor, sentence: string): void {
    const noting = this.#deps.db.transaction((tx) =>
      recordLifecycle(tx, { workspaceId, actor, sentence }),
    );
    this.#await(noting, "a terminal was not recorded");
  }

  /** The stop waits for it. */
  #await(work: Promise<void>, failure: string): void {
    const waited = work
      .catch((err: unknown) => this.#deps.log.warn({ err }, failure))
      .finally(() => this.#unfinished.delete(waited));
    this.#unfinished.add(waited);
  }
}

/** The shell by the signal's time; one that comes later is closed again. */
async function openWithin(
  access: TerminalAccess,
  request: Parameters<TerminalAccess["openShell"]>[0],
  signal: AbortSignal,
): Promise<Shell | null> {
  const opening = access.openShell(request, signal);
  const late = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  try {
    return await Promise.race([opening, late]);
  } catch (error) {
    // Floating on purpose: nobody waits for it any more, and its failure was told.
    opening.then((shell) => shell?.close()).catch(() => undefined);
    throw error;
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof BackendError) {
    const { sentence, next } = error.failure;
    return { end: "unreachable", cause: { sentence, next } };
  }
  if (error instanceof DomainError) {
    const { next } = TERMINAL_END_TEXTS.unreachable;
    return { end: "unreachable", cause: { sentence: error.message, next: error.next ?? next } };
  }
  return { end: "unreachable" };
}

function refuse(sink: ViewerSink, { end, cause }: Refusal): void {
  const { sentence, next } = cause ?? TERMINAL_END_TEXTS[end];
  sink.tell({ kind: "end", end, sentence, next });
  sink.close(end);
}
