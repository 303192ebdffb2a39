import { MAX_DELIVERIES, QUEUE_EXPIRY_HOURS } from "@molecule/domain/delivery";
import { and, asc, desc, eq, inArray, sql } from "drizzle-orm";
import { type ActivityRow, logActivity, tellActivity } from "../activity/activity-log.ts";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { a2aQueue, activity } from "../schema/content.ts";
import { workspaces } from "../schema/workspaces.ts";
import { storableJson, storableText } from "../storable.ts";

/** A queue item; its id is also that of its activity row. */
export type QueueItem = typeof a2aQueue.$inferSelect;

/** The process that delivers an item, and how long it may be silent before another takes over. */
export interface DeliveryLease {
  readonly owner: string;
  readonly leaseMs: number;
}

/** A message as it was accepted from its sender. */
export interface NewMessage {
  readonly targetId: string;
  readonly targetName: string;
  /** The sending workspace; null for a person. */
  readonly callerId: string | null;
  readonly actorName: string;
  readonly method: string;
  readonly messageId: string;
  /** The whole JSON-RPC envelope. */
  readonly envelope: unknown;
}

/** What became of {@link acceptMessage}. */
export type Accepted =
  | { readonly kind: "new"; readonly row: ActivityRow }
  /** The target has a message with this id already. */
  | { readonly kind: "repeated"; readonly row: ActivityRow };

/**
 * Writes the message down before anything is sent: the activity row that will hold the answer and the
 * queue item that makes its delivery somebody's business. With a lease the item is this process's to
 * deliver now; without one it waits. A message id counts once per target.
 */
export async function acceptMessage(
  tx: Transaction,
  message: NewMessage,
  lease: DeliveryLease | null,
): Promise<Accepted> {
  const orm = ormOf(tx);
  const row = await logActivity(tx, {
    workspaceId: message.targetId,
    type: "a2a_receive",
    status: lease === null ? "queued" : "pending",
    sourceId: message.callerId,
    targetId: message.targetId,
    method: message.method,
    summary: `${message.method} → ${message.targetName}`,
    requestBody: message.envelope,
    actorName: message.actorName,
    messageId: message.messageId,
  });
  if (row === null) {
    return { kind: "repeated", row: await repeatedRow(tx, message.targetId, message.messageId) };
  }
  await orm.insert(a2aQueue).values({
    id: row.id,
    workspaceId: message.targetId,
    callerId: message.callerId,
    body: storableJson(message.envelope),
    method: storableText(message.method, 256),
    idempotencyKey: storableText(message.messageId, 512),
    expiresAt: sql`cp_now() + make_interval(hours => ${QUEUE_EXPIRY_HOURS})`,
    ...(lease === null ? waiting : leased(lease)),
  });
  if (message.callerId !== null) {
    await orm
      .update(workspaces)
      .set({ lastOutboundAt: sql`cp_now()` })
      .where(eq(workspaces.id, message.callerId));
  }
  return { kind: "new", row };
}

async function repeatedRow(tx: Transaction, targetId: string, messageId: string) {
  const [row] = await ormOf(tx)
    .select()
    .from(activity)
    .where(
      and(eq(activity.workspaceId, targetId), eq(activity.messageId, storableText(messageId, 512))),
    );
  if (row === undefined) throw new Error("invariant: a conflicting message has its row");
  return row;
}

const waiting = {
  status: "queued" as const,
  dispatchedAt: null,
  leaseOwner: null,
  leaseUntil: null,
  nextActionAt: sql`cp_now()`,
};

function leased(lease: DeliveryLease) {
  const until = sql`cp_now() + make_interval(secs => ${lease.leaseMs / 1000})`;
  return {
    status: "dispatched" as const,
    dispatchedAt: sql`cp_now()`,
    leaseOwner: lease.owner,
    leaseUntil: until,
    // Due again when the lease runs out, so that a dead owner's item is found by the same query.
    nextActionAt: until,
  };
}

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
 * Claims one due item: per target in order of priority and arrival, and no more at once than the
 * target takes. Null when nothing is due. One statement, so two processes never claim the same item.
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
              AND o.status = 'queued' AND (o.priority, i.enqueued_at, i.id) > (i.priority, o.enqueued_at, o.id)
              AND o.next_action_at <= cp_now())
            AND (SELECT count(*) FROM a2a_queue b WHERE b.workspace_id = i.workspace_id
              AND b.status = 'dispatched') < GREATEST(w.max_concurrent_tasks, 1))
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
 * then nothing may be sent.
 */
export async function markSending(
  tx: Transaction,
  item: { readonly id: string; readonly owner: string },
): Promise<boolean> {
  const orm = ormOf(tx);
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
  if (row !== undefined) await tellActivity(tx, row);
  return true;
}

/** One item by its id; null when there is none. */
export async function readItem(q: Queryable, id: string): Promise<QueueItem | null> {
  const [row] = await ormOf(q).select().from(a2aQueue).where(eq(a2aQueue.id, id));
  return row ?? null;
}

/** Puts an item that was certainly not sent back in line, due after a pause. */
export async function returnToQueue(
  tx: Transaction,
  item: { readonly id: string; readonly owner: string },
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
  if (changed !== undefined) await tellActivity(tx, changed);
  return "queued";
}

function owned(item: { readonly id: string; readonly owner: string }) {
  return and(
    eq(a2aQueue.id, item.id),
    eq(a2aQueue.status, "dispatched"),
    eq(a2aQueue.leaseOwner, item.owner),
  );
}

/** How a delivery ended. */
export interface DeliveryEnd {
  readonly status: "ok" | "error";
  /** The agent's JSON; null when none came. */
  readonly responseBody: unknown;
  readonly toolTrace: unknown;
  readonly errorDetail: string | null;
  readonly durationMs: number | null;
  /** Nothing was sent: the same message may be sent again under its id. */
  readonly wasNeverSent: boolean;
  /** A person asked and other tabs wait for the answer. */
  readonly isForPerson: boolean;
}

/**
 * Stores the answer and ends the item, both or neither; false when another process has ended it.
 * `owner` null ends an item that nobody delivers.
 */
export async function endDelivery(
  tx: Transaction,
  item: { readonly id: string; readonly owner: string | null },
  end: DeliveryEnd,
): Promise<boolean> {
  const orm = ormOf(tx);
  const { owner } = item;
  const ended = await orm
    .update(a2aQueue)
    .set({
      status: end.status === "ok" ? "completed" : "failed",
      completedAt: sql`cp_now()`,
      nextActionAt: null,
      leaseOwner: null,
      leaseUntil: null,
      lastError: end.errorDetail === null ? null : storableText(end.errorDetail, 8192),
      ...(end.wasNeverSent ? { dispatchedAt: null } : {}),
    })
    .where(
      owner === null
        ? and(eq(a2aQueue.id, item.id), inArray(a2aQueue.status, ["queued", "dispatched"]))
        : owned({ id: item.id, owner }),
    )
    .returning({ id: a2aQueue.id });
  if (ended.length === 0) return false;
  const [row] = await orm
    .update(activity)
    .set({
      status: end.status,
      responseBody: end.responseBody === null ? null : storableJson(end.responseBody),
      toolTrace: end.toolTrace === null ? null : storableJson(end.toolTrace),
      errorDetail: end.errorDetail === null ? null : storableText(end.errorDetail, 8192),
      durationMs: end.durationMs,
      updatedAt: sql`cp_now()`,
    })
    .where(eq(activity.id, item.id))
    .returning();
  if (row === undefined) return true;
  await tellActivity(tx, row);
  if (end.isForPerson && end.status === "ok") await tellAnswer(tx, row);
  return true;
}

async function tellAnswer(tx: Transaction, row: ActivityRow): Promise<void> {
  const isSmall = JSON.stringify(row.responseBody).length <= 16_384;
  await appendEvent(tx, {
    event: "A2A_RESPONSE",
    subjectId: row.workspaceId,
    payload: {
      activity_id: row.id,
      message_id: row.messageId,
      method: row.method,
      duration_ms: row.durationMs,
      ...(isSmall ? { response_body: row.responseBody } : { body_in: row.id }),
    },
  });
}

/** Keeps the agent's name for the task, so that its answer can be asked for later. */
export async function recordTaskId(q: Queryable, id: string, taskId: string): Promise<void> {
  await ormOf(q)
    .update(a2aQueue)
    .set({ taskId: storableText(taskId, 256) })
    .where(eq(a2aQueue.id, id));
}

/**
 * Makes a message that ended without being processed deliverable again under its id. False when it is
 * under way, was answered, or may have been processed (unless `evenIfProcessed`: a person's retry).
 */
export async function reopenMessage(
  tx: Transaction,
  id: string,
  how: { readonly lease: DeliveryLease | null; readonly evenIfProcessed: boolean },
): Promise<boolean> {
  const orm = ormOf(tx);
  const reopened = await orm
    .update(a2aQueue)
    .set({
      ...(how.lease === null ? waiting : leased(how.lease)),
      attempts: 0,
      completedAt: null,
      lastError: null,
      taskId: null,
      expiresAt: sql`cp_now() + make_interval(hours => ${QUEUE_EXPIRY_HOURS})`,
    })
    .where(
      and(
        eq(a2aQueue.id, id),
        eq(a2aQueue.status, "failed"),
        how.evenIfProcessed ? undefined : sql`${a2aQueue.dispatchedAt} IS NULL`,
      ),
    )
    .returning({ id: a2aQueue.id });
  if (reopened.length === 0) return false;
  const [row] = await orm
    .update(activity)
    .set({
      status: how.lease === null ? "queued" : "pending",
      errorDetail: null,
      responseBody: null,
      toolTrace: null,
      durationMs: null,
      updatedAt: sql`cp_now()`,
    })
    .where(eq(activity.id, id))
    .returning();
  if (row !== undefined) await tellActivity(tx, row);
  return true;
}

/** Makes everything that waits for this workspace due now. Call it when it can take messages again. */
export async function wakeQueue(q: Queryable, workspaceId: string): Promise<boolean> {
  const rows = await ormOf(q)
    .update(a2aQueue)
    .set({ nextActionAt: sql`cp_now()` })
    .where(
      and(
        eq(a2aQueue.workspaceId, workspaceId),
        eq(a2aQueue.status, "queued"),
        sql`${a2aQueue.nextActionAt} > cp_now()`,
      ),
    )
    .returning({ id: a2aQueue.id });
  return rows.length > 0;
}

/** How many messages wait for the workspace, and the 1-based place of one of them. */
export async function queuePosition(
  q: Queryable,
  item: { readonly id: string; readonly workspaceId: string },
): Promise<{ readonly depth: number; readonly position: number }> {
  const rows = await ormOf(q)
    .select({ id: a2aQueue.id })
    .from(a2aQueue)
    .where(and(eq(a2aQueue.workspaceId, item.workspaceId), eq(a2aQueue.status, "queued")))
    .orderBy(desc(a2aQueue.priority), asc(a2aQueue.enqueuedAt), asc(a2aQueue.id));
  const index = rows.findIndex((row) => row.id === item.id);
  return { depth: rows.length, position: index < 0 ? rows.length : index + 1 };
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
        inArray(a2aQueue.status, ["queued", "dispatched"]),
        taskId === undefined ? undefined : eq(a2aQueue.taskId, taskId),
      ),
    )
    .orderBy(desc(a2aQueue.enqueuedAt))
    .limit(1);
  return row ?? null;
}
