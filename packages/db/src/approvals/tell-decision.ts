import { type ApprovalDecision, approvalNote, approvalNoteId } from "@molecule/domain/approval";
import { PLATFORM_ACTOR } from "@molecule/domain/sets";
import { and, eq, inArray, isNull, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { acceptMessage, type NewMessage } from "../queue/accept-message.ts";
import { endDelivery } from "../queue/end-delivery.ts";
import { leaveMessage } from "../queue/inbox-tasks.ts";
import { loadTarget, type Target } from "../registry/targets.ts";
import { a2aQueue } from "../schema/content.ts";

/** How long an agent that waits for the answer has to see it by itself, in seconds. */
const SEES_ITSELF_SECONDS = 5;

/** A request that has just been answered. */
export interface Decided {
  readonly id: string;
  readonly workspaceId: string;
  readonly action: string;
  readonly taskId: string | null;
  readonly decision: ApprovalDecision;
  readonly decidedBy: string;
  readonly isOverdue: boolean;
}

/**
 * Tells the agent that asked: a message of the platform, in its queue, or on its list when it polls. In
 * the transaction of the answer, so it is told exactly of what was decided. Nothing for one that was
 * removed, or has used its budget up. SPEC: AP6.
 */
export async function tellDecision(tx: Transaction, decided: Decided): Promise<void> {
  const target = await loadTarget(tx, decided.workspaceId);
  if (target === null || target.status === "removed" || isOverBudget(target)) return;
  const message = messageOf(decided, target);
  if (target.backend === "external" && target.deliveryMode === "poll") {
    await leaveMessage(tx, message);
    return;
  }
  const accepted = await acceptMessage(tx, message, null);
  if (accepted.kind !== "new") return;
  await ormOf(tx)
    .update(a2aQueue)
    .set({ nextActionAt: sql`cp_now() + make_interval(secs => ${SEES_ITSELF_SECONDS})` })
    .where(eq(a2aQueue.id, accepted.id));
}

function isOverBudget({ budgetLimit, monthlySpend }: Target): boolean {
  return budgetLimit !== null && monthlySpend >= budgetLimit;
}

function messageOf(decided: Decided, target: Target): NewMessage {
  const messageId = approvalNoteId(decided.id);
  return {
    targetId: target.id,
    targetName: target.name,
    callerId: null,
    actorName: PLATFORM_ACTOR.name,
    method: "message/send",
    messageId,
    envelope: {
      jsonrpc: "2.0",
      id: messageId,
      method: "message/send",
      params: {
        message: {
          kind: "message",
          role: "user",
          messageId,
          parts: [{ kind: "text", text: approvalNote(decided) }],
          metadata: {
            source: "platform",
            kind: "approval_decided",
            approval_id: decided.id,
            decision: decided.decision,
            decided_by: decided.decidedBy,
            ...(decided.taskId === null ? {} : { task_id: decided.taskId }),
          },
        },
      },
    },
  };
}

/**
 * The agent has read these answers by itself: what waits to tell it of them is over, and costs it no
 * turn. What has been sent is left alone. SPEC: AP6.
 */
export async function dropDecisions(
  tx: Transaction,
  which: { readonly workspaceId: string; readonly approvalIds: readonly string[] },
): Promise<void> {
  for (const { id } of await waitingDecisions(tx, which)) {
    await endDelivery(
      tx,
      { id, owner: null, onlyUnsent: true },
      {
        status: "ok",
        responseBody: null,
        toolTrace: null,
        errorDetail: null,
        durationMs: null,
        wasNeverSent: true,
        isForPerson: false,
      },
    );
  }
}

/** Messages about these answers of which nothing was sent. */
async function waitingDecisions(
  tx: Transaction,
  which: { readonly workspaceId: string; readonly approvalIds: readonly string[] },
): Promise<readonly { readonly id: string }[]> {
  if (which.approvalIds.length === 0) return [];
  return await ormOf(tx)
    .select({ id: a2aQueue.id })
    .from(a2aQueue)
    .where(
      and(
        eq(a2aQueue.workspaceId, which.workspaceId),
        inArray(a2aQueue.idempotencyKey, which.approvalIds.map(approvalNoteId)),
        inArray(a2aQueue.status, ["queued", "dispatched"]),
        isNull(a2aQueue.dispatchedAt),
      ),
    );
}
