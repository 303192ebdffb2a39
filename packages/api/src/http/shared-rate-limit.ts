import type { Queryable } from "@molecule/db/database";
import { forgetRates, settleRates } from "@molecule/db/processes/rate-windows";
import type { Log } from "../deps.ts";
import type { Limiter, RateState } from "./rate-limit.ts";

/** What the limiter is made from. */
export interface SharedRateOptions {
  readonly db: Queryable;
  readonly log: Log;
  /** Requests per window of one caller; 0: no limit, and nothing is counted. */
  readonly limit: number;
  /** Default one minute. */
  readonly windowMs?: number;
  /** The clock that `hit` is given the times of. */
  readonly now: () => Date;
  /** How often counts are settled with the other processes. Default 1000 ms. */
  readonly settleMs?: number;
}

interface Window {
  /** By this process's own clock; only differences to it are used. */
  startedAt: number;
  /** Of every process, when it was settled last. */
  settled: number;
  /** Of this process since then. */
  pending: number;
  /** On its way to the database: not pending any more and not settled yet. */
  underWay: number;
}

const WINDOW_MS = 60_000;
const SETTLE_MS = 1_000;
/** Windows kept at most; beyond it the whole table starts anew, which only ever forgives. */
const MAX_KEYS = 50_000;
const PASSES_PER_LOOK = 60;

/**
 * One fixed window per caller over all server processes. A request is counted and judged in memory;
 * once a second the counts are settled in the database, so that a burst overshoots by one second's
 * share of each process and no request waits. Without the database each process counts by itself.
 * Source: wire contract §1.
 */
export class SharedRateLimiter implements Limiter {
  readonly #options: SharedRateOptions;
  readonly #windowMs: number;
  readonly #windows = new Map<string, Window>();
  readonly #timer: NodeJS.Timeout | null;
  #pass: Promise<void> | null = null;
  #passes = 0;
  #isFailing = false;

  constructor(options: SharedRateOptions) {
    this.#options = options;
    this.#windowMs = options.windowMs ?? WINDOW_MS;
    const timer =
      options.limit === 0
        ? null
        : setInterval(() => void this.settle(), options.settleMs ?? SETTLE_MS);
    timer?.unref();
    this.#timer = timer;
  }

  /** Counts one request of `key`. */
  hit(key: string, now: Date): RateState {
    const { limit } = this.#options;
    const at = now.getTime();
    if (limit === 0) return { limit, remaining: 0, resetSeconds: 1, isExceeded: false };
    let window = this.#windows.get(key);
    if (window === undefined || at - window.startedAt >= this.#windowMs) {
      if (this.#windows.size >= MAX_KEYS) this.#windows.clear();
      window = { startedAt: at, settled: 0, pending: 0, underWay: 0 };
      this.#windows.set(key, window);
    }
    window.pending += 1;
    const count = window.settled + window.underWay + window.pending;
    return {
      limit,
      remaining: Math.max(0, limit - count),
      resetSeconds: Math.max(1, Math.ceil((window.startedAt + this.#windowMs - at) / 1000)),
      isExceeded: count > limit,
    };
  }

  /** Settles now; resolves when it is done. Passes never overlap and never reject. */
  async settle(): Promise<void> {
    this.#pass ??= this.#settleAll(this.#options.now())
      .then(() => {
        this.#isFailing = false;
      })
      .catch((err: unknown) => {
        if (!this.#isFailing) this.#options.log.warn({ err }, "request counts were not settled");
        this.#isFailing = true;
      })
      .finally(() => {
        this.#pass = null;
      });
    await this.#pass;
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#pass;
  }

  async #settleAll(now: Date): Promise<void> {
    const { db } = this.#options;
    this.#forgetEnded(now.getTime());
    const due = [...this.#windows].filter(([, window]) => window.pending > 0);
    for (const [, window] of due) {
      window.underWay = window.pending;
      window.pending = 0;
    }
    if (due.length > 0) await this.#settleSome(new Map(due), now);
    this.#passes += 1;
    if (this.#passes % PASSES_PER_LOOK === 0) await forgetRates(db);
  }

  async #settleSome(due: ReadonlyMap<string, Window>, now: Date): Promise<void> {
    const uses = [...due].map(([key, { underWay }]) => ({ key, uses: underWay }));
    try {
      const totals = await settleRates(this.#options.db, this.#windowMs, uses);
      for (const { key, count, ageMs } of totals) {
        const window = due.get(key);
        if (window === undefined) continue;
        window.settled = count;
        window.underWay = 0;
        window.startedAt = now.getTime() - ageMs;
      }
    } catch (error) {
      for (const window of due.values()) {
        window.pending += window.underWay;
        window.underWay = 0;
      }
      throw error;
    }
  }

  #forgetEnded(at: number): void {
    for (const [key, window] of this.#windows) {
      if (at - window.startedAt >= this.#windowMs) this.#windows.delete(key);
    }
  }
}
