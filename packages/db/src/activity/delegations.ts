import { and, desc, eq, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { activity } from "../schema/content.ts";
import { storableText } from "../storable.ts";
import { type ActivityRow, logActivity } from "./activity-log.ts";

/** Delegations in one answer. Source: contract §7.1. */
const MAX_DELEGATIONS = 50;
const METHOD = "delegate";

/** A task that one workspace gives another. */
export interface NewDelegation {
  readonly sourceId: string;
  readonly targetId: string;
  readonly task: string;
  readonly delegationId: string;
  readonly actorName: string;
  /** Null: every call is a delegation of its own. */
  readonly idempotencyKey: string | null;
}

/**
 * Writes the delegator's row and tells DELEGATION_SENT; null when its idempotency key is taken. The
 * outcome is that of the message with the delegation's id, so it needs no second bookkeeping.
 */
export async function recordDelegation(
  tx: Transaction,
  input: NewDelegation,
): Promise<ActivityRow | null> {
  const row = await logActivity(tx, {
    workspaceId: input.sourceId,
    type: "delegation",
    status: "pending",
    sourceId: input.sourceId,
    targetId: input.targetId,
    method: METHOD,
    summary: input.task.slice(0, 256),
    requestBody: { task: input.task, delegation_id: input.delegationId },
    actorName: input.actorName,
    idempotencyKey: input.idempotencyKey,
  });
  if (row === null) return null;
  await appendEvent(tx, {
    event: "DELEGATION_SENT",
    subjectId: input.sourceId,
    payload: {
      delegation_id: input.delegationId,
      target_id: input.targetId,
      task_preview: storableText(input.task, 100),
    },
  });
  return row;
}

/** A delegation with what became of it. */
export interface Delegation {
  readonly row: ActivityRow;
  readonly delegationId: string;
  /** The message's row; null when it was sent by other means or not at all. */
  readonly message: ActivityRow | null;
}

const message = alias(activity, "message");
const delegationId = sql<string>`${activity.requestBody} ->> 'delegation_id'`;

function selectDelegations(q: Queryable) {
  return ormOf(q)
    .select({ row: activity, delegationId, message })
    .from(activity)
    .leftJoin(
      message,
      and(
        eq(message.workspaceId, activity.targetId),
        eq(message.messageId, delegationId),
        eq(message.sourceId, activity.workspaceId),
      ),
    );
}

/** Newest first. */
export async function listDelegations(q: Queryable, sourceId: string): Promise<Delegation[]> {
  return await selectDelegations(q)
    .where(isDelegationOf(sourceId))
    .orderBy(desc(activity.seq))
    .limit(MAX_DELEGATIONS);
}

/** The delegation with this key or id; null when there is none. */
export async function findDelegation(
  q: Queryable,
  sourceId: string,
  by: { readonly idempotencyKey: string } | { readonly delegationId: string },
): Promise<Delegation | null> {
  const [found] = await selectDelegations(q)
    .where(
      and(
        isDelegationOf(sourceId),
        "idempotencyKey" in by
          ? eq(activity.idempotencyKey, by.idempotencyKey)
          : eq(delegationId, by.delegationId),
      ),
    )
    .orderBy(desc(activity.seq))
    .limit(1);
  return found ?? null;
}

function isDelegationOf(sourceId: string) {
  return and(
    eq(activity.workspaceId, sourceId),
    eq(activity.activityType, "delegation"),
    eq(activity.method, METHOD),
  );
}

/** Makes the key of a failed delegation free for the next try; the row stays as it is. */
export async function releaseDelegationKey(tx: Transaction, id: string): Promise<void> {
  await ormOf(tx).update(activity).set({ idempotencyKey: null }).where(eq(activity.id, id));
}
