import { randomUUID } from "node:crypto";
import type { ProcessKind } from "@molecule/domain/sets";
import type { Queryable } from "../database.ts";
import { forgetLoops, forgetReplacedLoops, storeLoopTicks } from "./loop-ticks.ts";

/** Hears of every round that a loop has ended. */
export interface Pulse {
  /** `everyMs`: how long the loop waits between two rounds. */
  tick(loop: string, everyMs: number): void;
}

/** What a pulse is made from. */
export interface PulseOptions {
  readonly db: Queryable;
  readonly kind: ProcessKind;
  readonly log: { warn(data: object, message: string): void };
  /** How often rounds are written down. Default 5000 ms. */
  readonly everyMs?: number;
}

const EVERY_MS = 5_000;
/** Passes between two looks for rows of processes that are gone. */
const PASSES_PER_LOOK = 12;

/** For tests and tools without a database. */
export const NO_PULSE: Pulse = { tick: () => undefined };

/**
 * Remembers the last round of each loop of this process and writes them down together, so that any
 * server can say how old they are. A database that is away costs nothing: the next pass writes again.
 */
export class LoopPulse implements Pulse {
  readonly id = randomUUID();
  readonly #options: PulseOptions;
  readonly #last = new Map<string, { everyMs: number; at: number; isWritten: boolean }>();
  readonly #timer: NodeJS.Timeout;
  #pass: Promise<void> = Promise.resolve();
  #passes = 0;
  #isFailing = false;
  #isBusy = false;

  constructor(options: PulseOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#write(), options.everyMs ?? EVERY_MS);
    this.#timer.unref();
  }

  tick(loop: string, everyMs: number): void {
    this.#last.set(loop, { everyMs, at: performance.now(), isWritten: false });
  }

  /** Writes what is not written yet and resolves then. */
  async flush(): Promise<void> {
    await this.#pass;
    this.#write();
    await this.#pass;
  }

  /** Takes the rows of this process away. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#pass;
    await forgetLoops(this.#options.db, this.id).catch((err: unknown) =>
      this.#options.log.warn({ err }, "the ages of this process's loops stay behind"),
    );
  }

  #write(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#pass = this.#run()
      .then(() => {
        this.#isFailing = false;
      })
      .catch((err: unknown) => {
        if (!this.#isFailing) this.#options.log.warn({ err }, "ages of loops were not written");
        this.#isFailing = true;
      })
      .finally(() => {
        this.#isBusy = false;
      });
  }

  async #run(): Promise<void> {
    const { db, kind } = this.#options;
    const now = performance.now();
    const fresh = [...this.#last].filter(([, one]) => !one.isWritten);
    await storeLoopTicks(
      db,
      { id: this.id, kind },
      fresh.map(([loop, { everyMs, at }]) => ({ loop, everyMs, agoMs: Math.max(0, now - at) })),
    );
    for (const [, one] of fresh) one.isWritten = true;
    if (this.#passes % PASSES_PER_LOOK === 0) await forgetReplacedLoops(db);
    this.#passes += 1;
  }
}
