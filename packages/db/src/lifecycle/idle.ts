import { PLATFORM_ACTOR } from "@molecule/domain/sets";
import { explainSleep, type IdleFacts } from "@molecule/domain/sleep";
import { eq, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { workspaces } from "../schema/workspaces.ts";
import type { HeldWorkspace, WorkspaceRow } from "./held-workspace.ts";
import { recordLifecycle } from "./record-lifecycle.ts";

/** Newest rows of the activity that are looked at; what is older has ended before them or still runs. */
const RECENT_ROWS = 50;

/**
 * How long the agent has had nothing to do; null when it never falls asleep by itself, or is not up.
 * What it last said counts however old it is: an agent that fell silent in the middle of a turn is busy.
 */
export async function idleFacts(
  tx: Transaction,
  row: Pick<
    WorkspaceRow,
    "id" | "phase" | "intent" | "hibernationIdleMinutes" | "readyAt" | "currentAttempt"
  >,
): Promise<IdleFacts | null> {
  const { id, hibernationIdleMinutes: minutes } = row;
  if (minutes === null || row.phase !== "READY" || row.intent !== "run") return null;
  const [seen] = await ormOf(tx).execute<{ since: string; is_busy: boolean }>(sql`
    SELECT GREATEST(w.ready_at, w.last_outbound_at, w.last_dirty_at, l.worked_at,
        (SELECT max(GREATEST(v.created_at, v.updated_at)) FROM (
          SELECT created_at, updated_at FROM activity
          WHERE workspace_id = w.id ORDER BY seq DESC LIMIT ${RECENT_ROWS}) v)) AS since,
      COALESCE(l.active_tasks, 0) > 0 OR EXISTS (
        SELECT 1 FROM a2a_queue q
        WHERE q.workspace_id = w.id AND q.status IN ('queued', 'dispatched')) AS is_busy
    FROM workspaces w LEFT JOIN liveness l
      ON l.workspace_id = w.id AND l.attempt_no = w.current_attempt
    WHERE w.id = ${id}`);
  if (seen === undefined) return null;
  return { minutes, since: new Date(seen.since), isBusy: seen.is_busy };
}

/**
 * Puts an idle workspace to sleep. Waits for no message that is just being accepted: the row lock is
 * asked for without waiting, and the work is looked at again under it. @throws a lock conflict, after
 * which the decision is made anew.
 */
export async function fallAsleep(
  tx: Transaction,
  { row, now }: HeldWorkspace,
  minutes: number,
): Promise<void> {
  const orm = ormOf(tx);
  await orm
    .select({ id: workspaces.id })
    .from(workspaces)
    .where(eq(workspaces.id, row.id))
    .for("update", { noWait: true });
  const idle = await idleFacts(tx, row);
  const isIdle = idle !== null && !idle.isBusy;
  if (!isIdle || now.getTime() - idle.since.getTime() < minutes * 60_000) return;
  await orm
    .update(workspaces)
    .set({
      intent: "hibernated",
      intentActorName: PLATFORM_ACTOR.name,
      intentAt: sql`cp_now()`,
      nextActionAt: sql`cp_now()`,
    })
    .where(eq(workspaces.id, row.id));
  await recordLifecycle(tx, {
    workspaceId: row.id,
    actor: PLATFORM_ACTOR,
    sentence: explainSleep(minutes),
  });
  await appendEvent(tx, {
    event: "WORKSPACE_UPDATED",
    subjectId: row.id,
    payload: { name: row.name, idle_minutes: minutes },
  });
}
