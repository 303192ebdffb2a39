import type { ActivityStatus } from "@molecule/domain/sets";
import { and, desc, eq, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { activity } from "../schema/content.ts";
import { storableText } from "../storable.ts";
import { type ActivityRow, logActivity, tellActivity } from "./activity-log.ts";

/** Longest answer in the row of a result, in characters; the message has all of it. */
const MAX_TEXT_CHARS = 200_000;
/** What the delegation's own row shows of it. Source: contract §7.1. */
const MAX_PREVIEW_CHARS = 300;

/** Where a delegation stands now. `pending`: its agent has it. */
export interface DelegationStep {
  readonly sourceId: string;
  readonly targetId: string;
  readonly delegationId: string;
  readonly status: ActivityStatus;
  /** The answer; null when there is none. */
  readonly text: string | null;
  readonly error: string | null;
}

/** What is read of a message to know the delegation it carries. */
export interface DelegatedMessage {
  /** The sending workspace; null for a person. */
  readonly callerId: string | null;
  readonly targetId: string;
  /** The JSON-RPC envelope. */
  readonly envelope: unknown;
}

/** The id by which a message's sender follows it as a task; null for every other message. */
export function delegationIdOf(envelope: unknown): string | null {
  const id = metadataOf(envelope).delegation_id;
  return typeof id === "string" && id !== "" ? storableText(id, 512) : null;
}

/** `params.message.metadata`; {} when there is none. */
export function metadataOf(envelope: unknown): Readonly<Record<string, unknown>> {
  return fieldsOf(fieldsOf(fieldsOf(fieldsOf(envelope).params).message).metadata);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

/** The rows of the delegation that a message carries say what became of the message. SPEC: DG5. */
export async function stitchMessage(
  tx: Transaction,
  message: DelegatedMessage,
  step: Pick<DelegationStep, "status" | "text" | "error">,
): Promise<void> {
  const delegationId = delegationIdOf(message.envelope);
  if (message.callerId === null || delegationId === null) return;
  const { callerId: sourceId, targetId } = message;
  await stitchDelegation(tx, { sourceId, targetId, delegationId, ...step });
}

/**
 * Brings both rows of a delegation in line with how it stands, and tells its delegator. What has been
 * completed stays so; a message that carries an id nobody recorded is told and nothing else. Source:
 * contract §7.3.
 */
export async function stitchDelegation(tx: Transaction, step: DelegationStep): Promise<void> {
  const row = await findRow(tx, step, "delegate");
  if (row !== null && (row.status === "ok" || isSame(row, step))) return;
  if (row !== null) {
    const [changed] = await ormOf(tx)
      .update(activity)
      .set({
        status: step.status,
        errorDetail: step.error === null ? null : storableText(step.error, 8192),
        ...(step.status === "ok" ? { responseBody: answerOf(step, MAX_PREVIEW_CHARS) } : {}),
        updatedAt: sql`cp_now()`,
      })
      .where(eq(activity.id, row.id))
      .returning();
    if (changed !== undefined) await tellActivity(tx, changed);
  }
  const wasQueued = row === null ? false : await writeResult(tx, row, step);
  if (row !== null || isEnd(step)) await tell(tx, step, wasQueued);
}

function isSame(row: ActivityRow, step: DelegationStep): boolean {
  return row.status === step.status && row.errorDetail === step.error;
}

function isEnd(step: DelegationStep): boolean {
  return step.status === "ok" || step.status === "error";
}

function answerOf(step: DelegationStep, maxChars: number) {
  return { text: storableText(step.text ?? "", maxChars), delegation_id: step.delegationId };
}

/** The row `delegate_result`; true when it had said that the task waits. */
async function writeResult(
  tx: Transaction,
  row: ActivityRow,
  step: DelegationStep,
): Promise<boolean> {
  if (step.status === "pending") return false;
  const known = await findRow(tx, step, "delegate_result");
  const { delegationId } = step;
  const responseBody = isEnd(step)
    ? answerOf(step, MAX_TEXT_CHARS)
    : { delegation_id: delegationId, queued: true };
  if (known === null) {
    await logActivity(tx, {
      workspaceId: step.sourceId,
      type: "delegation",
      status: step.status,
      sourceId: step.sourceId,
      targetId: step.targetId,
      method: "delegate_result",
      summary: row.summary,
      requestBody: { delegation_id: delegationId },
      responseBody,
      errorDetail: step.error,
      actorName: row.actorName,
    });
    return false;
  }
  const [changed] = await ormOf(tx)
    .update(activity)
    .set({
      status: step.status,
      responseBody,
      errorDetail: step.error === null ? null : storableText(step.error, 8192),
      updatedAt: sql`cp_now()`,
    })
    .where(eq(activity.id, known.id))
    .returning();
  if (changed !== undefined) await tellActivity(tx, changed);
  return known.status === "queued";
}

/** The newest of its kind, locked. */
async function findRow(
  tx: Transaction,
  step: Pick<DelegationStep, "sourceId" | "targetId" | "delegationId">,
  method: "delegate" | "delegate_result",
): Promise<ActivityRow | null> {
  const [row] = await ormOf(tx)
    .select()
    .from(activity)
    .where(
      and(
        eq(activity.workspaceId, step.sourceId),
        eq(activity.activityType, "delegation"),
        eq(activity.method, method),
        eq(activity.targetId, step.targetId),
        sql`${activity.requestBody} ->> 'delegation_id' = ${step.delegationId}`,
      ),
    )
    .orderBy(desc(activity.seq))
    .limit(1)
    .for("update");
  return row ?? null;
}

/** Source: contract §16.3. */
async function tell(tx: Transaction, step: DelegationStep, wasQueued: boolean): Promise<void> {
  const about = { delegation_id: step.delegationId, target_id: step.targetId };
  const subjectId = step.sourceId;
  switch (step.status) {
    case "ok":
      return await appendEvent(tx, {
        event: "DELEGATION_COMPLETE",
        subjectId,
        payload: {
          ...about,
          response_preview: storableText(step.text ?? "", 200),
          ...(wasQueued ? { via: "queue_drain" } : {}),
        },
      });
    case "error":
      return await appendEvent(tx, {
        event: "DELEGATION_FAILED",
        subjectId,
        payload: { ...about, error: storableText(step.error ?? "", 2000) },
      });
    case "queued":
    case "pending": {
      const status = step.status === "queued" ? "queued" : "dispatched";
      return await appendEvent(tx, {
        event: "DELEGATION_STATUS",
        subjectId,
        payload: { ...about, status },
      });
    }
  }
}
