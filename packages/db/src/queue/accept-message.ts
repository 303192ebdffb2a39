import { QUEUE_EXPIRY_HOURS } from "@molecule/domain/delivery";
import { and, eq, inArray, sql } from "drizzle-orm";
import { type ActivityRow, logActivity, tellActivity } from "../activity/activity-log.ts";
import { joiningOrder } from "../activity/activity-order.ts";
import { stitchMessage } from "../activity/stitch-delegation.ts";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { a2aQueue, activity } from "../schema/content.ts";
import { workspaces } from "../schema/workspaces.ts";
import { storableJson, storableText } from "../storable.ts";
import { type DeliveryLease, leased, waiting } from "./delivery-lease.ts";
import { takeTurn } from "./turn-room.ts";

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
  /** Who led to it, as {@link readCallsBehind} knows. Absent: nobody but a person or the platform. */
  readonly chain?: readonly string[];
  /**
   * Its target waits for its sender, who asks back: it is part of a turn that the target has already.
   * Default false. SPEC: D7.
   */
  readonly isAwaited?: boolean;
  /** While its target is busy nothing of it is kept. Default false. */
  readonly isOnlyForNow?: boolean;
}

/** What became of {@link acceptMessage}. */
export type Accepted =
  | {
      readonly kind: "new";
      /** Of the activity row and of the queue item. */
      readonly id: string;
      /** Its target fell asleep, or was put to rest, in this very moment, or is busy: the message waits. */
      readonly isWaiting: boolean;
    }
  /** The target has a message with this id already. */
  | { readonly kind: "repeated"; readonly row: ActivityRow }
  /** The target is busy and the message was only for now; nothing was written. */
  | { readonly kind: "busy" };

/**
 * Writes the message down before anything is sent: the activity row that will hold the answer and the
 * queue item that makes its delivery somebody's business. With a lease the item is this process's to
 * deliver now; without one it waits. A message id counts once per target.
 */
export async function acceptMessage(
  tx: Transaction,
  message: NewMessage,
  wanted: DeliveryLease | null,
): Promise<Accepted> {
  const orm = ormOf(tx);
  const isUp = await holdAwake(tx, message.targetId);
  const isPlaced = isUp && (await hasPlace(tx, message, wanted));
  if (isUp && !isPlaced && message.isOnlyForNow === true) {
    const { targetId, messageId } = message;
    if (!(await hasMessage(tx, targetId, messageId))) return { kind: "busy" };
    return { kind: "repeated", row: await repeatedRow(tx, targetId, messageId) };
  }
  const lease = isPlaced ? wanted : null;
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
    chain: [...(message.chain ?? [])],
    expiresAt: sql`cp_now() + make_interval(hours => ${QUEUE_EXPIRY_HOURS})`,
    ...(lease === null ? waiting : leased(lease)),
  });
  if (lease === null) await stitchMessage(tx, message, WAITING);
  await noteOutbound(tx, message.callerId);
  return { kind: "new", id: row.id, isWaiting: lease === null };
}

/** A message that nobody would deliver now needs no place. SPEC: D7. */
async function hasPlace(
  tx: Transaction,
  { targetId, callerId, isAwaited }: NewMessage,
  wanted: DeliveryLease | null,
): Promise<boolean> {
  if (wanted === null || isAwaited === true || callerId === targetId) return true;
  return await takeTurn(tx, targetId);
}

const WAITING = { status: "queued", text: null, error: null } as const;

/** The sending workspace has sent something. */
export async function noteOutbound(tx: Transaction, callerId: string | null): Promise<void> {
  if (callerId === null) return;
  await ormOf(tx)
    .update(workspaces)
    .set({ lastOutboundAt: sql`cp_now()` })
    .where(eq(workspaces.id, callerId));
}

/**
 * True while the workspace shall run; it then cannot fall asleep before this transaction ends, and
 * falling asleep sees what was written here. The lock is the one that rows which name it take anyway.
 */
async function holdAwake(tx: Transaction, workspaceId: string): Promise<boolean> {
  const [row] = await ormOf(tx)
    .select({ intent: workspaces.intent, order: joiningOrder(workspaceId) })
    .from(workspaces)
    .where(eq(workspaces.id, workspaceId))
    .for("key share");
  return row?.intent === "run";
}

/** The target has a message with this id already. */
export async function hasMessage(
  q: Queryable,
  targetId: string,
  messageId: string,
): Promise<boolean> {
  const rows = await ormOf(q)
    .select({ id: activity.id })
    .from(activity)
    .where(
      and(eq(activity.workspaceId, targetId), eq(activity.messageId, storableText(messageId, 512))),
    );
  return rows.length > 0;
}

/** The row of a message id that its target has already. */
export async function repeatedRow(tx: Transaction, targetId: string, messageId: string) {
  const [row] = await ormOf(tx)
    .select()
    .from(activity)
    .where(
      and(eq(activity.workspaceId, targetId), eq(activity.messageId, storableText(messageId, 512))),
    );
  if (row === undefined) throw new Error("invariant: a conflicting message has its row");
  return row;
}

/**
 * Makes a message that ended without being processed deliverable again under its id. Null when it is
 * under way, was answered, or may have been processed (unless `evenIfProcessed`: a person's retry).
 * `isWaiting`: its target is busy, or was put to rest, and nothing is to be sent now.
 */
export async function reopenMessage(
  tx: Transaction,
  id: string,
  how: { readonly lease: DeliveryLease | null; readonly evenIfProcessed: boolean },
): Promise<{ readonly isWaiting: boolean } | null> {
  const orm = ormOf(tx);
  const [owner] = await orm
    .select({ workspaceId: a2aQueue.workspaceId })
    .from(a2aQueue)
    .where(eq(a2aQueue.id, id));
  if (owner === undefined) return null;
  const isUp = await holdAwake(tx, owner.workspaceId);
  const lease =
    isUp && how.lease !== null && (await takeTurn(tx, owner.workspaceId)) ? how.lease : null;
  const reopened = await orm
    .update(a2aQueue)
    .set({
      ...(lease === null ? waiting : leased(lease)),
      attempts: 0,
      interruptions: 0,
      completedAt: null,
      lastError: null,
      taskId: null,
      expiresAt: sql`cp_now() + make_interval(hours => ${QUEUE_EXPIRY_HOURS})`,
    })
    .where(
      and(
        eq(a2aQueue.id, id),
        inArray(a2aQueue.status, ["failed", "dropped"]),
        how.evenIfProcessed ? undefined : sql`${a2aQueue.dispatchedAt} IS NULL`,
      ),
    )
    .returning({ id: a2aQueue.id });
  if (reopened.length === 0) return null;
  const [row] = await orm
    .update(activity)
    .set({
      status: lease === null ? "queued" : "pending",
      errorDetail: null,
      responseBody: null,
      toolTrace: null,
      durationMs: null,
      updatedAt: sql`cp_now()`,
    })
    .where(eq(activity.id, id))
    .returning();
  const isWaiting = lease === null;
  if (row === undefined) return { isWaiting };
  await tellActivity(tx, row);
  const message = { callerId: row.sourceId, targetId: row.workspaceId, envelope: row.requestBody };
  await stitchMessage(tx, message, { status: row.status, text: null, error: null });
  return { isWaiting };
}
