import type { Log } from "./log.ts";

/** Something that was started and can be ended. */
export interface Stoppable {
  stop(): Promise<void>;
}

/**
 * Ends what was started, in reverse order. A failing end does not keep the others from ending; a
 * second `stop` waits for the first.
 */
export class Scope implements Stoppable {
  readonly #ends: { readonly name: string; readonly end: () => Promise<void> }[] = [];
  readonly #log: Log;
  #stopping: Promise<void> | null = null;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Registers how something is ended, when it has started. */
  add(name: string, end: () => Promise<void>): void {
    this.#ends.push({ name, end });
  }

  /** Resolves when everything has ended. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (const { name, end } of this.#ends.toReversed()) {
      try {
        await end();
      } catch (error) {
        this.#log.error({ err: error, part: name }, "a part did not end in order");
      }
    }
  }
}
