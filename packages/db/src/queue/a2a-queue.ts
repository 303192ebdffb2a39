import type { Chain } from "@molecule/domain/delegation-chain";
import { MAX_DELIVERIES } from "@molecule/domain/delivery";
import { and, asc, desc, eq, inArray, isNull, or, sql } from "drizzle-orm";
import { type ActivityRow, tellActivity } from "../activity/activity-log.ts";
import { stitchMessage } from "../activity/stitch-delegation.ts";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { a2aQueue, activity } from "../schema/content.ts";
import { storableText } from "../storable.ts";
import { type DeliveryLease, type HeldItem, owned, waiting } from "./delivery-lease.ts";
import { countUnderWay, lockTurns } from "./turn-room.ts";

/**
 * The platform's notes about a restart wait in the same queue; nobody counts or cancels them. Inside
 * `packages/db` only.
 */
export const isMessage = sql`COALESCE(${a2aQueue.idempotencyKey}, '') NOT LIKE 'restart-context:%'`;

/** A queue item; its id is also that of its activity row. */
export type QueueItem = typeof a2aQueue.$inferSelect;

/** Keeps the items of a living process its own. Returns the ids it still owns. */
export async function renewLeases(
  q: Queryable,
  lease: DeliveryLease,
  ids: readonly string[],
): Promise<string[]> {
  if (ids.length === 0) return [];
  const until = sql`cp_now() + make_interval(secs => ${lease.leaseMs / 1000})`;
  const rows = await ormOf(q)
    .update(a2aQueue)
    .set({ leaseUntil: until, nextActionAt: until })
    .where(
      and(
        inArray(a2aQueue.id, [...ids]),
        eq(a2aQueue.leaseOwner, lease.owner),
        eq(a2aQueue.status, "dispatched"),
      ),
    )
    .returning({ id: a2aQueue.id });
  return rows.map((row) => row.id);
}

/** What a claim found: an item to deliver, or one whose deliverer vanished. */
export type Claimed =
  | { readonly kind: "deliver"; readonly item: QueueItem }
  /** It may have been processed: it must never be sent again. */
  | { readonly kind: "orphaned"; readonly item: QueueItem }
  | { readonly kind: "expired"; readonly item: QueueItem };

/**
 * Claims one due item: per target only the first in line by priority and arrival, also while that one
 * pauses, so that none is overtaken; and no more at once than the target takes. Null when nothing is due. One statement, so two processes never claim the same item.
 */
export async function claimDueItem(q: Queryable, lease: DeliveryLease): Promise<Claimed | null> {
  const seconds = lease.leaseMs / 1000;
  const [row] = await ormOf(q).execute<{ id: string; is_expired: boolean }>(sql`
    WITH due AS (
      SELECT i.id, COALESCE(i.expires_at < cp_now(), false) AS is_expired
      FROM a2a_queue i JOIN workspaces w ON w.id = i.workspace_id
      WHERE i.next_action_at <= cp_now()
        AND (i.status = 'dispatched' AND (i.lease_until IS NULL OR i.lease_until < cp_now())
          OR i.status = 'queued'
            AND NOT EXISTS (SELECT 1 FROM a2a_queue o WHERE o.workspace_id = i.workspace_id
              AND o.status = 'queued' AND (o.priority, i.enqueued_at, i.id) > (i.priority, o.enqueued_at, o.id))
            AND (SELECT count(*) FROM a2a_queue b WHERE b.workspace_id = i.workspace_id
              AND b.status = 'dispatched' AND NOT b.is_inbox) < GREATEST(w.max_concurrent_tasks, 1))
      ORDER BY i.next_action_at FOR UPDATE OF i SKIP LOCKED LIMIT 1)
    UPDATE a2a_queue q SET
      lease_owner = ${lease.owner}, lease_epoch = q.lease_epoch + 1,
      lease_until = cp_now() + make_interval(secs => ${seconds}),
      next_action_at = cp_now() + make_interval(secs => ${seconds}),
      status = 'dispatched'
    FROM due WHERE q.id = due.id RETURNING q.id, due.is_expired`);
  if (row === undefined) return null;
  const item = await readItem(q, row.id);
  if (item === null) return null;
  if (item.dispatchedAt !== null) return { kind: "orphaned", item };
  return row.is_expired ? { kind: "expired", item } : { kind: "deliver", item };
}

/**
 * Notes that the first byte is about to be sent; false when the item is no longer this process's, and
 * then nothing may be sent. So it is when another message was taken since the claim and the agent is
 * busy: the item waits again. SPEC: D7.
 */
export async function markSending(
  tx: Transaction,
  item: HeldItem & { readonly workspaceId: string; readonly isNote: boolean },
): Promise<boolean> {
  const orm = ormOf(tx);
  if (!item.isNote) {
    await lockTurns(tx, item.workspaceId);
    const crowded = await orm
      .update(a2aQueue)
      .set(waiting)
      .where(
        and(
          owned(item),
          sql`${countUnderWay(item.workspaceId)} > (SELECT GREATEST(w.max_concurrent_tasks, 1)
            FROM workspaces w WHERE w.id = ${item.workspaceId})`,
        ),
      )
      .returning({ id: a2aQueue.id });
    if (crowded.length > 0) return false;
  }
  const rows = await orm
    .update(a2aQueue)
    .set({ dispatchedAt: sql`cp_now()` })
    .where(owned(item))
    .returning({ id: a2aQueue.id });
  if (rows.length === 0) return false;
  const [row] = await orm
    .update(activity)
    .set({ status: "pending", updatedAt: sql`cp_now()` })
    .where(and(eq(activity.id, item.id), eq(activity.status, "queued")))
    .returning();
  if (row !== undefined) await tellMessage(tx, row);
  return true;
}

/** The message has another status: its row is told, and so is the delegation that it carries. */
async function tellMessage(tx: Transaction, row: ActivityRow): Promise<void> {
  await tellActivity(tx, row);
  await stitchMessage(
    tx,
    { callerId: row.sourceId, targetId: row.workspaceId, envelope: row.requestBody },
    { status: row.status, text: null, error: null },
  );
}

/** One item by its id; null when there is none. */
export async function readItem(q: Queryable, id: string): Promise<QueueItem | null> {
  const [row] = await ormOf(q).select().from(a2aQueue).where(eq(a2aQueue.id, id));
  return row ?? null;
}

/**
 * Lets another process find an item at once that this one can no longer finish. What may have been
 * sent stays marked so: whoever finds it asks the agent and never sends it again.
 */
export async function abandonItem(q: Queryable, item: HeldItem): Promise<void> {
  await ormOf(q)
    .update(a2aQueue)
    .set({ leaseOwner: null, leaseUntil: null, nextActionAt: sql`cp_now()` })
    .where(owned(item));
}

/** Puts an item that was certainly not sent back in line, due after a pause. */
export async function returnToQueue(
  tx: Transaction,
  item: HeldItem,
  how: {
    readonly afterMs: number;
    readonly countsAsDelivery: boolean;
    readonly why: string | null;
  },
): Promise<"queued" | "given_up" | "not_owned"> {
  const orm = ormOf(tx);
  const [row] = await orm
    .update(a2aQueue)
    .set({
      ...waiting,
      attempts: sql`${a2aQueue.attempts} + ${how.countsAsDelivery ? 1 : 0}`,
      nextActionAt: sql`cp_now() + make_interval(secs => ${how.afterMs / 1000})`,
      ...(how.why === null ? {} : { lastError: how.why }),
    })
    .where(owned(item))
    .returning();
  if (row === undefined) return "not_owned";
  if (row.attempts >= MAX_DELIVERIES) return "given_up";
  const [changed] = await orm
    .update(activity)
    .set({ status: "queued", updatedAt: sql`cp_now()` })
    .where(and(eq(activity.id, item.id), sql`${activity.status} <> 'queued'`))
    .returning();
  if (changed !== undefined) await tellMessage(tx, changed);
  return "queued";
}

/**
 * Puts an item back in line that a restart broke off, the first time; false the second time, after a
 * crash, and while the workspace shall not run. SPEC: P11. Source: lifecycle A3.
 */
export async function returnInterrupted(
  tx: Transaction,
  item: HeldItem,
  how: { readonly attemptNo: number; readonly why: string },
): Promise<boolean> {
  const orm = ormOf(tx);
  const [returned] = await orm
    .update(a2aQueue)
    .set({
      ...waiting,
      taskId: null,
      interruptions: sql`${a2aQueue.interruptions} + 1`,
      lastError: how.why,
    })
    .where(
      and(
        owned(item),
        eq(a2aQueue.interruptions, 0),
        sql`EXISTS (
          SELECT 1 FROM workspaces w JOIN attempts t ON t.workspace_id = w.id
          WHERE w.id = ${a2aQueue.workspaceId} AND w.intent = 'run'
            AND t.no = ${how.attemptNo + 1} AND t.reason <> 'crash')`,
      ),
    )
    .returning({ id: a2aQueue.id });
  if (returned === undefined) return false;
  const [row] = await orm
    .update(activity)
    .set({ status: "queued", updatedAt: sql`cp_now()` })
    .where(eq(activity.id, item.id))
    .returning();
  if (row !== undefined) await tellMessage(tx, row);
  return true;
}

/** Keeps the agent's name for the task, so that its answer can be asked for later. */
export async function recordTaskId(q: Queryable, id: string, taskId: string): Promise<void> {
  await ormOf(q)
    .update(a2aQueue)
    .set({ taskId: storableText(taskId, 256) })
    .where(eq(a2aQueue.id, id));
}

/**
 * Makes everything that waits for this workspace due now, in the transaction by which it can take
 * messages again. True when something waits. What is due or taken out already is held until that
 * transaction is seen: whoever took it out looked at the workspace as it was, puts the message back for a
 * while, and looks again after that. SPEC: P12.
 */
export async function wakeQueue(q: Queryable, workspaceId: string): Promise<boolean> {
  const isWaiting = eq(a2aQueue.status, "queued");
  const isTakenOut = and(eq(a2aQueue.status, "dispatched"), isNull(a2aQueue.dispatchedAt));
  const rows = await ormOf(q)
    .update(a2aQueue)
    .set({
      nextActionAt: sql`CASE WHEN ${isWaiting} THEN cp_now() ELSE ${a2aQueue.nextActionAt} END`,
    })
    .where(and(eq(a2aQueue.workspaceId, workspaceId), or(isWaiting, isTakenOut)))
    .returning({ status: a2aQueue.status });
  return rows.some((row) => row.status === "queued");
}

/** Has the tasks in these agents' inboxes ended soon: nobody will answer them any more. */
export async function closeInboxes(q: Queryable, workspaceIds: readonly string[]): Promise<void> {
  await ormOf(q)
    .update(a2aQueue)
    .set({ nextActionAt: sql`cp_now()` })
    .where(
      and(
        inArray(a2aQueue.workspaceId, [...workspaceIds]),
        eq(a2aQueue.isInbox, true),
        eq(a2aQueue.status, "dispatched"),
      ),
    );
}

/**
 * How many messages wait for the workspace, and the 1-based place of one of them. One that is just
 * being looked at waits too, as long as nothing of it has been sent.
 */
export async function queuePosition(
  q: Queryable,
  item: { readonly id: string; readonly workspaceId: string },
): Promise<{ readonly depth: number; readonly position: number }> {
  const rows = await ormOf(q)
    .select({ id: a2aQueue.id })
    .from(a2aQueue)
    .where(
      and(
        eq(a2aQueue.workspaceId, item.workspaceId),
        inArray(a2aQueue.status, ["queued", "dispatched"]),
        isNull(a2aQueue.dispatchedAt),
        isMessage,
      ),
    )
    .orderBy(desc(a2aQueue.priority), asc(a2aQueue.enqueuedAt), asc(a2aQueue.id));
  const index = rows.findIndex((row) => row.id === item.id);
  return { depth: rows.length, position: index < 0 ? rows.length : index + 1 };
}

/** What the platform knows of the messages that led to what a workspace does now. */
export interface CallsBehind {
  /**
   * The ones it works on, the ones their senders work on, and so on. Grows by one with each turn of
   * agents that keep asking each other.
   */
  readonly count: number;
  /** Who led to each of the messages it works on. */
  readonly working: readonly Chain[];
  /** Who waits for the end of what it works on, directly or through others. */
  readonly waiting: readonly string[];
}

/**
 * Messages an agent took from its inbox are not among them: when it works on one, and on which, is not
 * known.
 */
export async function readCallsBehind(q: Queryable, workspaceId: string): Promise<CallsBehind> {
  const [row] = await ormOf(q).execute<{
    calls: string;
    working: string[][];
    waiting: string[];
  }>(sql`
    WITH RECURSIVE behind AS (
      SELECT id, caller_id FROM a2a_queue
        WHERE workspace_id = ${workspaceId} AND status = 'dispatched' AND NOT is_inbox
      UNION
      SELECT i.id, i.caller_id FROM a2a_queue i JOIN behind ON i.workspace_id = behind.caller_id
        WHERE i.status = 'dispatched' AND NOT i.is_inbox)
    SELECT count(*) AS calls, (
      SELECT COALESCE(json_agg(to_json(${a2aQueue.chain})), '[]') FROM ${a2aQueue}
      WHERE ${a2aQueue.workspaceId} = ${workspaceId} AND ${a2aQueue.status} = 'dispatched'
        AND ${a2aQueue.dispatchedAt} IS NOT NULL AND NOT ${a2aQueue.isInbox} AND ${isMessage}
      ) AS working, COALESCE(json_agg(DISTINCT caller_id) FILTER (WHERE caller_id IS NOT NULL), '[]')
      AS waiting
    FROM behind`);
  const { calls, working, waiting: askers } = row ?? { calls: 0, working: [], waiting: [] };
  return { count: Number(calls), working, waiting: askers };
}

/** The newest item of the workspace that is being answered for a person; null when none is. */
export async function findRunningForPerson(
  q: Queryable,
  workspaceId: string,
  taskId?: string | undefined,
): Promise<QueueItem | null> {
  const [row] = await ormOf(q)
    .select()
    .from(a2aQueue)
    .where(
      and(
        eq(a2aQueue.workspaceId, workspaceId),
        sql`${a2aQueue.callerId} IS NULL`,
        isMessage,
        inArray(a2aQueue.status, ["queued", "dispatched"]),
        taskId === undefined ? undefined : eq(a2aQueue.taskId, taskId),
      ),
    )
    .orderBy(desc(a2aQueue.enqueuedAt))
    .limit(1);
  return row ?? null;
}
