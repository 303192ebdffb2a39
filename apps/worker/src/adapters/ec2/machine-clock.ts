import { setTimeout as delay } from "node:timers/promises";

/** Time as the backend waits by it. */
export interface MachineClock {
  /** Milliseconds that only grow. */
  now(): number;
  /** The instant at which so many ms are over. */
  deadline(ms: number): number;
  /** @throws the signal's reason when it is aborted meanwhile. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}

/**
 * Real time. For tests `factor` above 1 lets it pass faster, and `patience` keeps deadlines, which real
 * machines need, so many times as far away.
 */
export function machineClock(factor = 1, patience = 1): MachineClock {
  const now = () => performance.now() * factor;
  return {
    now,
    deadline: (ms) => now() + ms * patience,
    wait: async (ms, signal) => {
      signal?.throwIfAborted();
      await delay(ms / factor, undefined, signal === undefined ? {} : { signal });
    },
  };
}
