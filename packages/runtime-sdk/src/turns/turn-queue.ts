/** Thrown when more turns wait than are worth waiting for. */
export class TooManyWaitingError extends Error {
  constructor() {
    super("Too many messages are waiting for this agent. Send it again in a while.");
    this.name = "TooManyWaitingError";
  }
}

/** Limits of a {@link TurnQueue}. */
export interface TurnQueueLimits {
  /** Turns that run at the same time, over all contexts. */
  readonly maxConcurrent: number;
  /** Turns that may wait; one more is refused. */
  readonly maxWaiting: number;
}

interface Waiting {
  readonly contextId: string;
  readonly begin: () => void;
}

/**
 * Orders turns: one at a time per context, in order of arrival, and never more than `maxConcurrent` at
 * once. A turn that waits and is aborted leaves the queue without running.
 *
 * Invariant: whenever a turn ends or arrives, the first waiting turn whose context is free runs if
 * there is room.
 */
export class TurnQueue {
  readonly #limits: TurnQueueLimits;
  readonly #waiting: Waiting[] = [];
  readonly #busyContexts = new Set<string>();

  constructor(limits: TurnQueueLimits) {
    this.#limits = limits;
  }

  /** Turns that run now. */
  get running(): number {
    return this.#busyContexts.size;
  }

  /**
   * Runs `turn` when it is its turn.
   * @throws TooManyWaitingError at once; the signal's reason when aborted before it began; whatever
   * `turn` throws.
   */
  async run<T>(contextId: string, signal: AbortSignal, turn: () => Promise<T>): Promise<T> {
    await this.#enter(contextId, signal);
    try {
      return await turn();
    } finally {
      this.#busyContexts.delete(contextId);
      this.#startNext();
    }
  }

  #enter(contextId: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#waiting.length >= this.#limits.maxWaiting) throw new TooManyWaitingError();
    return new Promise((resolve, reject) => {
      const leave = () => {
        const at = this.#waiting.indexOf(entry);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal.reason);
      };
      const entry: Waiting = {
        contextId,
        begin: () => {
          signal.removeEventListener("abort", leave);
          this.#busyContexts.add(contextId);
          resolve();
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(entry);
      this.#startNext();
    });
  }

  #startNext(): void {
    while (this.#busyContexts.size < this.#limits.maxConcurrent) {
      const at = this.#waiting.findIndex((entry) => !this.#busyContexts.has(entry.contextId));
      const [entry] = at < 0 ? [] : this.#waiting.splice(at, 1);
      if (entry === undefined) return;
      entry.begin();
    }
  }
}
