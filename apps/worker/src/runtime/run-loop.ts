import type { Pulse } from "@molecule/db/processes/pulse";
import type { Log } from "./log.ts";
import type { Stoppable } from "./scope.ts";

/** A round of work and how often it is done. */
export interface RunLoopOptions {
  /** Named in the log. */
  readonly name: string;
  /** Time between the end of a round and the next, in ms; a tenth of it is random. */
  readonly everyMs: number;
  /** Time until the first round, in ms. Default 0. */
  readonly firstAfterMs?: number;
  /** Least time between the end of a round and one that `wake` brings forward, in ms. Default 0. */
  readonly wakeGapMs?: number;
  /** One round. A throw is logged once per outage and does not end the loop. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Hears of every round that did not fail. */
  readonly pulse?: Pulse | undefined;
  readonly log: Log;
}

/**
 * Repeats a round until it is stopped. Rounds never overlap. `wake` brings the next one forward: right
 * away when idle, after the present one when running, however often it is called.
 * Modes: idle (the timer runs), running (a round runs; `wake` is remembered), stopped (final).
 */
export class RunLoop implements Stoppable {
  readonly #options: RunLoopOptions;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> | null = null;
  #isWoken = false;
  #isFailing = false;
  #endedAt = Number.NEGATIVE_INFINITY;

  constructor(options: RunLoopOptions) {
    this.#options = options;
    this.#schedule(options.firstAfterMs ?? 0);
  }

  /** A round begins as soon as none runs. */
  wake(): void {
    if (this.#abort.signal.aborted) return;
    if (this.#round !== null) this.#isWoken = true;
    else this.#schedule(this.#untilWakeMs());
  }

  #untilWakeMs(): number {
    return Math.max(0, this.#endedAt + (this.#options.wakeGapMs ?? 0) - performance.now());
  }

  /** The signal of the present round is aborted; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#abort.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#round;
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#round = this.#runOnce();
    }, delayMs);
  }

  async #runOnce(): Promise<void> {
    const { name, everyMs, run, pulse, log } = this.#options;
    try {
      await run(this.#abort.signal);
      if (this.#isFailing) log.info({ loop: name }, "the loop works again");
      this.#isFailing = false;
      pulse?.tick(name, everyMs);
    } catch (error) {
      if (!this.#isFailing) log.error({ err: error, loop: name }, "a round of the loop failed");
      this.#isFailing = true;
    }
    this.#round = null;
    this.#endedAt = performance.now();
    if (this.#abort.signal.aborted) return;
    const isWoken = this.#isWoken && !this.#isFailing;
    this.#isWoken = false;
    this.#schedule(isWoken ? this.#untilWakeMs() : everyMs * (0.95 + Math.random() * 0.1));
  }
}
