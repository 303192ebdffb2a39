import { sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";

/** Days activity is kept. Source: wire contract §8.3. */
export const ACTIVITY_KEPT_DAYS = 7;
/** Days a conversation with a person is kept: people look for what they were told last month. */
export const CHAT_KEPT_DAYS = 365;

/**
 * Deletes old activity and the queue items that have ended for as long. What is still under way stays,
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
  await orm.execute(sql`
    DELETE FROM a2a_queue WHERE completed_at < cp_now() - make_interval(days => ${keep.days})`);
  return Number(row?.gone ?? 0);
}
