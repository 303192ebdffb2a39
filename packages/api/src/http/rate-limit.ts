import { DomainError } from "@molecule/domain/errors";

const WINDOW_MS = 60_000;
/** Windows kept at most; beyond it the whole table starts anew, which only ever forgives. */
const MAX_KEYS = 50_000;

/** Where a caller stands in its window. */
export interface RateState {
  readonly limit: number;
  readonly remaining: number;
  readonly resetSeconds: number;
  readonly isExceeded: boolean;
}

/** Counts requests of callers and says where they stand. */
export interface Limiter {
  hit(key: string, now: Date): RateState;
}

/** Fixed windows, one per key. Local to this process. */
export class RateLimiter {
  readonly #windows = new Map<string, { startedAt: number; count: number }>();
  readonly #limit: number;
  readonly #windowMs: number;

  /** `limit` per window for each key; 0 means no limit. */
  constructor(limit: number, windowMs = WINDOW_MS) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** Counts one use of `key`. */
  hit(key: string, now: Date): RateState {
    const at = now.getTime();
    let window = this.#windows.get(key);
    if (window === undefined || at - window.startedAt >= this.#windowMs) {
      if (this.#windows.size >= MAX_KEYS) this.#windows.clear();
      window = { startedAt: at, count: 0 };
      this.#windows.set(key, window);
    }
    window.count += 1;
    return this.#state(window, at);
  }

  #state(window: { startedAt: number; count: number }, at: number): RateState {
    return {
      limit: this.#limit,
      remaining: Math.max(0, this.#limit - window.count),
      resetSeconds: Math.max(1, Math.ceil((window.startedAt + this.#windowMs - at) / 1000)),
      isExceeded: this.#limit > 0 && window.count > this.#limit,
    };
  }
}

/** Adds the three headers of the contract (§1). */
export function addRateHeaders(headers: Headers, state: RateState): void {
  if (state.limit === 0) {
    headers.set("x-ratelimit-limit", "unlimited");
    return;
  }
  headers.set("x-ratelimit-limit", String(state.limit));
  headers.set("x-ratelimit-remaining", String(state.remaining));
  headers.set("x-ratelimit-reset", String(state.resetSeconds));
}

/** The refusal of a caller that is over its limit. */
export function rateLimited(state: RateState): DomainError {
  return new DomainError("rate_limited", "Too many requests from here in a short time.", {
    next: `Try again in ${state.resetSeconds} seconds.`,
    details: { retry_after: state.resetSeconds },
  });
}
