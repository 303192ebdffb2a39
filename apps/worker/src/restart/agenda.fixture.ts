interface Entry {
  readonly at: number;
  readonly run: () => void | Promise<void>;
}

/** What happens when, in a time that only its reader moves. Equal times keep the order of entry. */
export class Agenda {
  readonly #entries: Entry[] = [];

  /** Enters `run` at `at`, in ms. */
  add(at: number, run: () => void | Promise<void>): void {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle]?.at ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    this.#entries.splice(low, 0, { at, run });
  }

  /** When the next entry is; null when there is none. */
  get nextAt(): number | null {
    return this.#entries[0]?.at ?? null;
  }

  /** Takes everything out that is entered up to `at`. */
  takeUpTo(at: number): readonly Entry[] {
    const count = this.#entries.findIndex((entry) => entry.at > at);
    return this.#entries.splice(0, count === -1 ? this.#entries.length : count);
  }
}

/** A generator of numbers in [0, 1) (mulberry32); the same seed gives the same numbers. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
