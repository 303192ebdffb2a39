import { sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";

/** Days activity is kept. Source: wire contract §8.3. */
export const ACTIVITY_KEPT_DAYS = 7;
/** Days a conversation with a person is kept: people look for what they were told last month. */
export const CHAT_KEPT_DAYS = 365;

/**
 * Deletes old activity, delivered queue items after an hour and failed ones like activity. What is still under way stays,
 * however old. Resolves with how many rows went.
 */
export async function trimActivity(
  q: Queryable,
  keep: { readonly days: number; readonly chatDays: number },
): Promise<number> {
  const orm = ormOf(q);
  const [row] = await orm.execute<{ gone: string }>(sql`
    WITH gone AS (
      DELETE FROM activity WHERE status IN ('ok', 'error') AND created_at < cp_now() -
        CASE WHEN activity_type = 'a2a_receive' AND source_id IS NULL
          THEN make_interval(days => ${keep.chatDays}) ELSE make_interval(days => ${keep.days}) END
      RETURNING 1)
    SELECT count(*) AS gone FROM gone`);
  // Delivered items are of no use any more; a failed one may still be repeated by its person.
  await orm.execute(sql`
    DELETE FROM a2a_queue WHERE completed_at < cp_now() -
      CASE WHEN status = 'completed' THEN interval '1 hour' ELSE make_interval(days => ${keep.days}) END`);
  return Number(row?.gone ?? 0);
}
