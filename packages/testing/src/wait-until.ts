import { setTimeout as delay } from "node:timers/promises";

/** Bounds of {@link waitUntil}. */
export interface WaitOptions {
  /**
   * Default 25 000 ms: a slow machine needs it, and the event log of one test waits for the oldest open
   * transaction of every other test on the same server.
   */
  readonly timeoutMs?: number;
  /** Default 20 ms. */
  readonly everyMs?: number;
}

/**
 * Resolves with the first value of `probe` that is neither false, null nor undefined.
 * @throws Error naming `what` and the last value when the bound is reached.
 */
export async function waitUntil<T>(
  what: string,
  probe: () => Promise<T | false | null | undefined> | T | false | null | undefined,
  options: WaitOptions = {},
): Promise<T> {
  const deadline = performance.now() + (options.timeoutMs ?? 25_000);
  for (;;) {
    const value = await probe();
    if (value !== false && value !== null && value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`Waited in vain until ${what}`);
    await delay(options.everyMs ?? 20);
  }
}
