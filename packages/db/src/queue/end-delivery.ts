import { attemptOfRestartContext } from "@molecule/domain/restart-context";
import { isScheduleMessageId } from "@molecule/domain/schedule";
import { and, eq, inArray, isNull, sql } from "drizzle-orm";
import { type ActivityRow, tellActivity } from "../activity/activity-log.ts";
import { stitchMessage } from "../activity/stitch-delegation.ts";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { markTold } from "../lifecycle/tell-restart.ts";
import { endRun } from "../schedules/end-run.ts";
import { a2aQueue, activity } from "../schema/content.ts";
import { storableJson, storableText } from "../storable.ts";
import { owned } from "./delivery-lease.ts";

/** A longer answer lives in its row only; the event names it. */
export const MAX_TOLD_ANSWER_CHARS = 16_384;

/** How a delivery ended. */
export interface DeliveryEnd {
  readonly status: "ok" | "error";
  /** The agent's JSON; null when none came. */
  readonly responseBody: unknown;
  readonly toolTrace: unknown;
  readonly errorDetail: string | null;
  /** The answer as text, for what is told about it. Absent: none. */
  readonly replyText?: string;
  readonly durationMs: number | null;
  /** Nothing was sent: the same message may be sent again under its id. */
  readonly wasNeverSent: boolean;
  /** A person asked and other tabs wait for the answer. */
  readonly isForPerson: boolean;
}

/**
 * Stores the answer and ends the item, both or neither; false when another process has ended it.
 * `owner` null ends an item that nobody delivers; `onlyUnsent` ends it only while none
 * of it has been sent.
 */
export async function endDelivery(
  tx: Transaction,
  item: { readonly id: string; readonly owner: string | null; readonly onlyUnsent?: boolean },
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
        ? and(
            eq(a2aQueue.id, item.id),
            inArray(a2aQueue.status, ["queued", "dispatched"]),
            item.onlyUnsent === true ? isNull(a2aQueue.dispatchedAt) : undefined,
          )
        : owned({ id: item.id, owner }),
    )
    .returning({
      workspaceId: a2aQueue.workspaceId,
      callerId: a2aQueue.callerId,
      body: a2aQueue.body,
      idempotencyKey: a2aQueue.idempotencyKey,
    });
  const [message] = ended;
  if (message === undefined) return false;
  const attemptNo = attemptOfRestartContext(message.idempotencyKey);
  if (attemptNo !== null && end.status === "ok") {
    await markTold(tx, { workspaceId: message.workspaceId, attemptNo });
  }
  const { workspaceId: targetId, callerId, body: envelope } = message;
  await stitchMessage(
    tx,
    { callerId, targetId, envelope },
    { status: end.status, text: end.replyText ?? null, error: end.errorDetail },
  );
  if (isScheduleMessageId(message.idempotencyKey)) {
    await endRun(tx, item.id, {
      status: end.status,
      isEmpty: isEmptyReply(end),
      error: end.errorDetail,
      durationMs: end.durationMs,
    });
  }
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
  const isAsked = end.isForPerson && attemptNo === null;
  if (isAsked && end.status === "ok") await tellAnswer(tx, row);
  return true;
}

/** Neither text nor a part of any other kind, such as a file. */
function isEmptyReply({ replyText, responseBody }: DeliveryEnd): boolean {
  return (replyText ?? "").trim() === "" && !hasOtherPart(responseBody);
}

function hasOtherPart(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(hasOtherPart);
  const { parts, ...rest } = value as Readonly<Record<string, unknown>>;
  const isOther = (part: unknown) => typeof part === "object" && part !== null && !("text" in part);
  return (Array.isArray(parts) && parts.some(isOther)) || Object.values(rest).some(hasOtherPart);
}

async function tellAnswer(tx: Transaction, row: ActivityRow): Promise<void> {
  const isSmall = JSON.stringify(row.responseBody).length <= MAX_TOLD_ANSWER_CHARS;
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
