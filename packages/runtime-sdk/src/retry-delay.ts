/** Bounds of {@link retryDelayMs}, in ms. */
export interface RetryBounds {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * How long to wait before the next try, after `failures` failures in a row (≥ 1): doubles from
 * `baseMs` to `capMs` and stays there; spread over the upper half so that a fleet does not knock in
 * step. `random` is in [0, 1).
 */
export function retryDelayMs(failures: number, bounds: RetryBounds, random: number): number {
  const full = Math.min(bounds.capMs, bounds.baseMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(full * (0.5 + random / 2));
}
