import { type SQL, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";

/**
 * How many more messages the workspace `w` of the statement takes now: its limit without those under way
 * and those whose turn it is. The platform's notes and the tasks in an inbox are no turns. SPEC: D7.
 */
export const turnRoom: SQL<unknown> = sql`(GREATEST(w.max_concurrent_tasks, 1) - (
  SELECT count(*) FROM a2a_queue b WHERE b.workspace_id = w.id
    AND (b.status = 'dispatched' OR (b.status = 'queued' AND b.next_action_at <= cp_now()))
    AND NOT b.is_inbox AND COALESCE(b.idempotency_key, '') NOT LIKE 'restart-context:%'))`;

/** Whoever holds it counts turns and adds one before anybody else does; until the transaction ends. */
export async function lockTurns(tx: Transaction, workspaceId: string): Promise<void> {
  const key = `turns ${workspaceId}`;
  await ormOf(tx).execute(sql`SELECT pg_advisory_xact_lock(hashtextextended(${key}::text, 0))`);
}

/** Whether the workspace takes one more now; nobody else takes the place before the transaction ends. */
export async function takeTurn(tx: Transaction, workspaceId: string): Promise<boolean> {
  await lockTurns(tx, workspaceId);
  const [row] = await ormOf(tx).execute<{ has_room: boolean }>(
    sql`SELECT ${turnRoom} > 0 AS has_room FROM workspaces w WHERE w.id = ${workspaceId}`,
  );
  return row?.has_room === true;
}

/** How many turns of the workspace are under way, those included that are just being looked at. */
export function countUnderWay(workspaceId: string): SQL<unknown> {
  return sql`(SELECT count(*) FROM a2a_queue b WHERE b.workspace_id = ${workspaceId}
    AND b.status = 'dispatched' AND NOT b.is_inbox
    AND COALESCE(b.idempotency_key, '') NOT LIKE 'restart-context:%')`;
}
