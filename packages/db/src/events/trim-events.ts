import { sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";

/** How long and how much of the log is kept. Source: architecture 5. */
export const EVENTS_KEPT_DAYS = 7;
export const EVENTS_KEPT_ROWS = 1_000_000;

/**
 * Deletes what is older than a week or beyond a million rows, except the newest of it: the oldest row
 * left marks how far back a cursor may lie (`isReachable`). Resolves with how many rows went.
 */
export async function trimEvents(
  q: Queryable,
  keep: { readonly days: number; readonly rows: number },
): Promise<number> {
  const [row] = await ormOf(q).execute<{ gone: string }>(sql`
    WITH bound AS (
      SELECT GREATEST(
        COALESCE((SELECT max(id) FROM events WHERE at < cp_now() - ${keep.days} * interval '1 day'), 0),
        COALESCE((SELECT id FROM events ORDER BY id DESC OFFSET ${keep.rows} LIMIT 1), 0)) AS id
    ), gone AS (
      DELETE FROM events WHERE id < (SELECT id FROM bound)
      RETURNING 1
    )
    SELECT count(*) AS gone FROM gone`);
  return Number(row?.gone ?? 0);
}
