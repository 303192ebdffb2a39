import type { Database } from "@molecule/db/database";
import { EVENTS_CHANNEL } from "@molecule/db/events/append-event";
import {
  comparePositions,
  type LoggedEvent,
  type Position,
  readEvents,
  readHead,
} from "@molecule/db/events/read-events";
import { NO_PULSE, type Pulse } from "@molecule/db/processes/pulse";
import type { Log } from "../deps.ts";

/** What a tail is made from. */
export interface EventTailOptions {
  readonly db: Database;
  readonly log: Log;
  /** Gets every batch, in order, one at a time; the tail waits for it. */
  readonly onBatch: (batch: readonly LoggedEvent[]) => Promise<void>;
  /** Hears of every pass. */
  readonly pulse?: Pulse;
  /** Longest time between two looks. Default 1000 ms. */
  readonly pollMs?: number;
  /** Events read at once. Default 500. */
  readonly batchSize?: number;
}

const POLL_MS = 1000;

/** Pause after a hint, so that a burst of commits is one batch. */
const GATHER_MS = 5;

/**
 * Follows the log from where it stands at the start. A notification shortens the wait, the poll is the
 * guarantee. An error ends the pass only: the position stays, so the next pass reads the same again.
 */
export class EventTail {
  readonly #options: EventTailOptions;
  #position: Position;
  #timer: NodeJS.Timeout | null = null;
  #pass: Promise<void> | null = null;
  #isHinted = false;
  #isStopped = false;
  #unlisten: (() => Promise<void>) | null = null;
  #hadError = false;

  private constructor(options: EventTailOptions, position: Position) {
    this.#options = options;
    this.#position = position;
  }

  /** Resolves when it follows; rejects when the database cannot be reached. */
  static async start(options: EventTailOptions): Promise<EventTail> {
    const { position } = await readHead(options.db);
    const tail = new EventTail(options, position);
    tail.#unlisten = await options.db.listen(EVENTS_CHANNEL, () => tail.#hint());
    tail.#schedule(0);
    return tail;
  }

  /** Everything up to here has been handed out. */
  get position(): Position {
    return this.#position;
  }

  /** No batch is handed out after it resolves. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#pass;
    // The connection may be gone already; then there is nothing left to listen on.
    await this.#unlisten?.().catch(() => undefined);
  }

  #hint(): void {
    this.#isHinted = true;
    if (this.#pass === null) this.#schedule(GATHER_MS);
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#isHinted = false;
      this.#pass = this.#run().finally(() => {
        this.#pass = null;
        this.#schedule(this.#isHinted ? GATHER_MS : (this.#options.pollMs ?? POLL_MS));
      });
    }, delayMs);
  }

  async #run(): Promise<void> {
    const { db, log, pulse = NO_PULSE, onBatch, batchSize = 500, pollMs = POLL_MS } = this.#options;
    try {
      for (;;) {
        const batch = await readEvents(db, this.#position, batchSize);
        const last = batch.at(-1);
        if (last === undefined || this.#isStopped) break;
        await onBatch(batch);
        if (comparePositions(last.position, this.#position) > 0) this.#position = last.position;
        if (batch.length < batchSize) break;
      }
      if (this.#hadError) log.info({}, "the event log can be read again");
      this.#hadError = false;
      pulse.tick("event log", pollMs);
    } catch (err) {
      if (!this.#hadError) log.warn({ err }, "the event log cannot be read; trying again");
      this.#hadError = true;
    }
  }
}
