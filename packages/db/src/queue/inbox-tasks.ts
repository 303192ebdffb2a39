import { QUEUE_EXPIRY_HOURS } from "@molecule/domain/delivery";
import { and, eq, sql } from "drizzle-orm";
import { type ActivityRow, logActivity } from "../activity/activity-log.ts";
import { joinActivityOrder } from "../activity/activity-order.ts";
import { delegationIdOf, stitchMessage } from "../activity/stitch-delegation.ts";
import { ormOf, type Transaction } from "../database.ts";
import { a2aQueue } from "../schema/content.ts";
import { storableJson, storableText } from "../storable.ts";
import { type NewMessage, noteOutbound, repeatedRow } from "./accept-message.ts";
import { endDelivery } from "./end-delivery.ts";

/** A message for an agent that polls; null as the id of a call without a message. */
export type LeftMessage = Omit<NewMessage, "messageId"> & { readonly messageId: string | null };

/** What became of {@link leaveMessage}. */
export interface Left {
  readonly kind: "new" | "repeated";
  readonly row: ActivityRow;
}

/**
 * Writes a message on the list of an agent that polls. With that it is delivered; a task stays open
 * beyond it, until the agent answers or its time is over. A message id counts once. SPEC: DG6.
 */
export async function leaveMessage(tx: Transaction, message: LeftMessage): Promise<Left> {
  await joinActivityOrder(tx, message.targetId);
  const isTask = message.callerId !== null && delegationIdOf(message.envelope) !== null;
  const row = await logActivity(tx, {
    workspaceId: message.targetId,
    type: "a2a_receive",
    status: isTask ? "queued" : "ok",
    sourceId: message.callerId,
    targetId: message.targetId,
    method: message.method,
    summary: `${message.method} → ${message.targetName}`,
    requestBody: message.envelope,
    actorName: message.actorName,
    messageId: message.messageId,
  });
  if (row === null) {
    const known = await repeatedRow(tx, message.targetId, message.messageId ?? "");
    return { kind: "repeated", row: known };
  }
  if (isTask) await openTask(tx, message, row.id);
  await noteOutbound(tx, message.callerId);
  return { kind: "new", row };
}

async function openTask(tx: Transaction, message: LeftMessage, id: string): Promise<void> {
  const until = sql`cp_now() + make_interval(hours => ${QUEUE_EXPIRY_HOURS})`;
  await ormOf(tx)
    .insert(a2aQueue)
    .values({
      id,
      workspaceId: message.targetId,
      callerId: message.callerId,
      body: storableJson(message.envelope),
      method: storableText(message.method, 256),
      idempotencyKey: storableText(message.messageId ?? id, 512),
      chain: [...(message.chain ?? [])],
      isInbox: true,
      status: "dispatched",
      dispatchedAt: sql`cp_now()`,
      expiresAt: until,
      nextActionAt: until,
    });
  await stitchMessage(tx, message, { status: "queued", text: null, error: null });
}

/** An agent's answer to a task of its inbox. */
export interface InboxAnswer {
  /** Whose inbox it was in. */
  readonly answererId: string;
  /** Who gave the task; absent: whoever it was. */
  readonly askerId?: string;
  /** The message id of the task, or the delegation's. */
  readonly taskId: string;
  readonly status: "ok" | "error";
  readonly text: string;
  /** The answer as the asker reads it. */
  readonly responseBody: unknown;
}

/** Ends the task for whoever gave it; false when no such task is open. */
export async function answerInboxTask(tx: Transaction, answer: InboxAnswer): Promise<boolean> {
  const [item] = await ormOf(tx)
    .select({ id: a2aQueue.id })
    .from(a2aQueue)
    .where(
      and(
        eq(a2aQueue.workspaceId, answer.answererId),
        eq(a2aQueue.status, "dispatched"),
        eq(a2aQueue.isInbox, true),
        answer.askerId === undefined ? undefined : eq(a2aQueue.callerId, answer.askerId),
        sql`${storableText(answer.taskId, 512)} IN (${a2aQueue.idempotencyKey},
          ${a2aQueue.body} #>> '{params,message,metadata,delegation_id}')`,
      ),
    )
    .limit(1);
  if (item === undefined) return false;
  return await endDelivery(
    tx,
    { id: item.id, owner: null },
    {
      status: answer.status,
      responseBody: answer.responseBody,
      replyText: answer.text,
      toolTrace: null,
      errorDetail: answer.status === "ok" ? null : answer.text || "The agent could not do it.",
      durationMs: null,
      wasNeverSent: false,
      isForPerson: false,
    },
  );
}
