import { setTimeout as delay } from "node:timers/promises";

/** Time as the backend waits by it. */
export interface MachineClock {
  /** Milliseconds that only grow. */
  now(): number;
  /** @throws the signal's reason when it is aborted meanwhile. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Real time; `factor` above 1 passes faster, for tests. */
export function machineClock(factor = 1): MachineClock {
  return {
    now: () => performance.now() * factor,
    wait: async (ms, signal) => {
      signal?.throwIfAborted();
      await delay(ms / factor, undefined, signal === undefined ? {} : { signal });
    },
  };
}
