import { setTimeout as delay } from "node:timers/promises";
import type { LifeSign, PlatformClient, Registration } from "@molecule/runtime-sdk/platform-client";
import { retryDelayMs } from "@molecule/runtime-sdk/retry-delay";
import type { Standing } from "./standing.ts";

/** What keeps an agent outside the platform on its list. */
export interface KeepPresentDeps {
  readonly client: PlatformClient;
  readonly standing: Standing;
  readonly registration: Registration;
  readonly signal: AbortSignal;
  /** Says something to whoever watches this program; called once per trouble, not once per beat. */
  readonly tell: (sentence: string) => void;
  /** Default 20 000 ms. Source: wire contract §5.4. */
  readonly beatEveryMs?: number;
}

/** Why an agent is not on the platform's list any more. */
export type Absence = "stopped" | "refused" | "superseded" | "removed";

const BEAT_EVERY_MS = 20_000;
const RETRY = { baseMs: 500, capMs: 20_000 };

/**
 * Registers and beats until the signal or until the platform says that it is of no use: `refused` is a
 * token that is not accepted at register. Everything else is tried again for ever; a token that is refused
 * three times in a row by beats is told, because it may still be replaced in its file.
 */
export async function keepPresent(deps: KeepPresentDeps): Promise<Absence> {
  const startedAt = performance.now();
  const troubles = new Troubles(deps);
  let isRegistered = false;
  while (!deps.signal.aborted) {
    const uptime_seconds = Math.floor((performance.now() - startedAt) / 1000);
    const sign = isRegistered
      ? await deps.client.heartbeat({ ...IDLE, uptime_seconds })
      : await deps.client.register(deps.registration);
    if (sign.kind === "superseded" || sign.kind === "removed") return sign.kind;
    if (!isRegistered && isRefused(sign)) return "refused";
    await troubles.note(sign);
    const regularMs = isRegistered ? (deps.beatEveryMs ?? BEAT_EVERY_MS) : 0;
    if (sign.kind === "ok") isRegistered = true;
    await delay(troubles.pauseMs ?? regularMs, undefined, { signal: deps.signal }).catch(
      () => undefined,
    );
  }
  return "stopped";
}

/** Signs of life that failed in a row. */
class Troubles {
  readonly #deps: KeepPresentDeps;
  #failures = 0;
  #hasTold = false;

  constructor(deps: KeepPresentDeps) {
    this.#deps = deps;
  }

  /** How long to wait before the next try; undefined when the last one was accepted. */
  get pauseMs(): number | undefined {
    return this.#failures === 0 ? undefined : retryDelayMs(this.#failures, RETRY, Math.random());
  }

  async note(sign: LifeSign): Promise<void> {
    const { standing, tell } = this.#deps;
    if (sign.kind !== "failed") {
      this.#failures = 0;
      this.#hasTold = false;
      standing.accepted();
      return;
    }
    this.#failures += 1;
    if (sign.status !== 401 || !standing.refused() || this.#hasTold) return;
    this.#hasTold = true;
    tell(await standing.explainRefusedToken());
  }
}

/** Source: wire contract §20. */
const IDLE = { error_rate: 0, sample_error: "", active_tasks: 0, current_task: "" };

function isRefused(sign: LifeSign): boolean {
  return sign.kind === "failed" && (sign.status === 401 || sign.status === 403);
}
