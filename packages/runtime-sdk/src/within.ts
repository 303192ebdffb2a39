import { setTimeout as delay } from "node:timers/promises";

/** Resolves when `work` has ended or after `ms`, whichever is first. @throws what `work` throws. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const given = new AbortController();
  await Promise.race([
    work.finally(() => given.abort()),
    delay(ms, undefined, { signal: given.signal }).catch(() => undefined),
  ]);
}
