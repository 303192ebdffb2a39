import { setTimeout as delay } from "node:timers/promises";
import type { LifeSign, PlatformClient, Registration } from "@molecule/runtime-sdk/platform-client";
import { retryDelayMs } from "@molecule/runtime-sdk/retry-delay";

/** What keeps an agent outside the platform on its list. */
export interface KeepPresentDeps {
  readonly client: PlatformClient;
  readonly registration: Registration;
  readonly signal: AbortSignal;
  /** Default 20 000 ms. Source: wire contract §5.4. */
  readonly beatEveryMs?: number;
}

/** Why an agent is not on the platform's list any more. */
export type Absence = "stopped" | "refused" | "superseded" | "removed";

const BEAT_EVERY_MS = 20_000;
const RETRY = { baseMs: 500, capMs: 20_000 };

/**
 * Registers and beats until the signal or until the platform says that it is of no use: `refused` is a
 * token that is not accepted at register. Everything else is tried again for ever.
 */
export async function keepPresent(deps: KeepPresentDeps): Promise<Absence> {
  const startedAt = performance.now();
  let isRegistered = false;
  let failures = 0;
  while (!deps.signal.aborted) {
    const uptime_seconds = Math.floor((performance.now() - startedAt) / 1000);
    const sign = isRegistered
      ? await deps.client.heartbeat({ active_tasks: 0, uptime_seconds })
      : await deps.client.register(deps.registration);
    if (sign.kind === "superseded" || sign.kind === "removed") return sign.kind;
    if (!isRegistered && isRefused(sign)) return "refused";
    const beatEveryMs = isRegistered ? (deps.beatEveryMs ?? BEAT_EVERY_MS) : 0;
    if (sign.kind === "ok") isRegistered = true;
    failures = sign.kind === "failed" ? failures + 1 : 0;
    const pauseMs = failures > 0 ? retryDelayMs(failures, RETRY, Math.random()) : beatEveryMs;
    await delay(pauseMs, undefined, { signal: deps.signal }).catch(() => undefined);
  }
  return "stopped";
}

function isRefused(sign: LifeSign): boolean {
  return sign.kind === "failed" && (sign.status === 401 || sign.status === 403);
}
