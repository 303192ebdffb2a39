import { setTimeout as delay } from "node:timers/promises";
import { isConnectionError } from "@molecule/db/database";

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
const MAX_TRIES = 60;

/**
 * Runs `work` until the database can be reached: an answer that an agent gave is worth the wait. Ends
 * with the error after about five minutes, when `stop` is aborted, or when it has another cause.
 */
export async function patiently<T>(stop: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isConnectionError(error) || stop.aborted || tries >= MAX_TRIES) throw error;
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1));
      await delay(pauseMs, undefined, { signal: stop }).catch(() => undefined);
    }
  }
}
