/** Bounds of a number in the query string. */
export interface IntBounds {
  readonly min: number;
  readonly max: number;
  /** For an absent, unreadable or too small number. */
  readonly fallback: number;
}

/** The number, cut to its upper bound; the fallback where there is none or it is too small. */
export function boundedInt(text: string | null, bounds: IntBounds): number {
  const value = text === null || !/^\d{1,9}$/.test(text) ? Number.NaN : Number(text);
  if (Number.isNaN(value) || value < bounds.min) return bounds.fallback;
  return Math.min(value, bounds.max);
}
