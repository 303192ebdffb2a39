import { sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";

/** Requests of a caller since it was settled last. */
export interface RateUse {
  readonly key: string;
  readonly uses: number;
}

/** A caller's window over all processes. */
export interface RateTotal {
  readonly key: string;
  readonly count: number;
  /** How long ago it began, in ms. */
  readonly ageMs: number;
}

/** Most callers settled in one statement. */
const MAX_KEYS = 2_000;

/**
 * Adds what one process counted to the windows of everybody and answers where they stand. A window
 * that is over begins anew. In the order of the keys, so that two processes never wait for each other.
 */
export async function settleRates(
  q: Queryable,
  windowMs: number,
  uses: readonly RateUse[],
): Promise<RateTotal[]> {
  const sorted = [...uses].sort((a, b) => (a.key < b.key ? -1 : 1));
  const totals: RateTotal[] = [];
  for (let from = 0; from < sorted.length; from += MAX_KEYS) {
    totals.push(...(await settleSome(q, windowMs, sorted.slice(from, from + MAX_KEYS))));
  }
  return totals;
}

async function settleSome(
  q: Queryable,
  windowMs: number,
  uses: readonly RateUse[],
): Promise<RateTotal[]> {
  const values = uses.map(({ key, uses: count }) => sql`(${key}, ${count}::integer, cp_now())`);
  const isOver = sql`rate_windows.started_at <= cp_now() - ${windowMs}::double precision * interval '1 millisecond'`;
  const rows = await ormOf(q).execute(sql`
    INSERT INTO rate_windows (key, count, started_at) VALUES ${sql.join(values, sql`, `)}
    ON CONFLICT (key) DO UPDATE SET
      count = CASE WHEN ${isOver} THEN EXCLUDED.count ELSE rate_windows.count + EXCLUDED.count END,
      started_at = CASE WHEN ${isOver} THEN cp_now() ELSE rate_windows.started_at END
    RETURNING key, count,
      greatest(0, extract(epoch FROM cp_now() - started_at) * 1000)::double precision AS age_ms`);
  return [...rows].map((row) => ({
    key: String(row.key),
    count: Number(row.count),
    ageMs: Number(row.age_ms),
  }));
}

/** Removes windows that ended long ago, whosever they are: none is nearly as long as this. */
export async function forgetRates(q: Queryable): Promise<void> {
  await ormOf(q).execute(sql`
    DELETE FROM rate_windows WHERE started_at < cp_now() - interval '1 hour'`);
}
