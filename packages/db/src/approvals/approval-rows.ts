import {
  APPROVAL_SECONDS,
  type ApprovalDecision,
  answerOutcome,
  MAX_PENDING_APPROVALS,
} from "@molecule/domain/approval";
import { DomainError } from "@molecule/domain/errors";
import { PLATFORM_ACTOR } from "@molecule/domain/sets";
import { and, asc, desc, eq, inArray, lte, ne, sql } from "drizzle-orm";
import { type Database, ormOf, type Queryable, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { approvals } from "../schema/memory.ts";
import { workspaces } from "../schema/workspaces.ts";
import { storableText } from "../storable.ts";
import { tellDecision } from "./tell-decision.ts";

/** One request as stored; `context` is JSON text. */
export type ApprovalRow = typeof approvals.$inferSelect;

/** Something an agent wants to be allowed, without secrets. */
export interface ApprovalWish {
  readonly workspaceId: string;
  readonly action: string;
  readonly reason: string;
  readonly taskId: string | null;
  /** JSON text. */
  readonly context: string | null;
}

/**
 * Asks for a workspace that its caller has locked. The same action for the same task, asked again while it
 * waits, is the request that waits. SPEC: AP4, AP5. @throws DomainError `rate_limited`.
 */
export async function insertApproval(tx: Transaction, wish: ApprovalWish): Promise<ApprovalRow> {
  const orm = ormOf(tx);
  const { workspaceId } = wish;
  const action = storableText(wish.action);
  const taskId = wish.taskId === null ? null : storableText(wish.taskId);
  const waiting = await orm
    .select()
    .from(approvals)
    .where(and(eq(approvals.workspaceId, workspaceId), eq(approvals.state, "pending")));
  const same = waiting.find(
    (one) => taskId !== null && one.taskId === taskId && one.action === action,
  );
  if (same !== undefined) return same;
  if (waiting.length >= MAX_PENDING_APPROVALS) {
    throw new DomainError(
      "rate_limited",
      `${MAX_PENDING_APPROVALS} requests of this workspace wait for a person already.`,
      { next: "Wait for an answer; each is denied by itself after ten minutes." },
    );
  }
  const [row] = await orm
    .insert(approvals)
    .values({
      workspaceId,
      action,
      reason: storableText(wish.reason),
      taskId,
      context: wish.context,
      expiresAt: sql`cp_now() + make_interval(secs => ${APPROVAL_SECONDS}::float8)`,
    })
    .returning();
  if (row === undefined) throw new Error("invariant: an insert returns its row");
  await appendEvent(tx, {
    event: "APPROVAL_REQUESTED",
    subjectId: workspaceId,
    payload: { approval_id: row.id, action: row.action, reason: row.reason, task_id: row.taskId },
  });
  return row;
}

/** A person's answer. */
export interface ApprovalAnswer {
  readonly workspaceId: string;
  readonly id: string;
  readonly decision: ApprovalDecision;
  /** Name for people. */
  readonly decidedBy: string;
}

/**
 * Stores the first answer; the same again changes nothing. SPEC: AP1.
 * @throws DomainError `not_found`, `conflict` (details: `status`) when it was answered otherwise.
 */
export async function decideApproval(
  tx: Transaction,
  answer: ApprovalAnswer,
): Promise<ApprovalRow> {
  const { workspaceId, id, decision } = answer;
  const [row] = await ormOf(tx)
    .select()
    .from(approvals)
    .where(and(eq(approvals.workspaceId, workspaceId), eq(approvals.id, id)))
    .for("update");
  if (row === undefined) {
    throw new DomainError("not_found", "This workspace has asked for nothing under this id.");
  }
  switch (answerOutcome(row.state, decision)) {
    case "same":
      return row;
    case "too_late":
      throw new DomainError("conflict", `This was ${row.state} by ${row.decidedBy} already.`, {
        details: { status: row.state },
      });
    case "counts":
      break;
  }
  const [decided] = await ormOf(tx)
    .update(approvals)
    .set({
      state: decision,
      decidedBy: storableText(answer.decidedBy),
      decidedAt: sql`cp_now()`,
    })
    .where(eq(approvals.id, id))
    .returning();
  if (decided === undefined) throw new Error("invariant: a locked row does not vanish");
  await tellAnswer(tx, decided, { isOverdue: false });
  return decided;
}

/** Denies what nobody answered in time; whoever looks does it, so that nobody has to. SPEC: AP2. */
export async function expireApprovals(db: Database): Promise<void> {
  await db.transaction(async (tx) => {
    const orm = ormOf(tx);
    const isOverdue = and(eq(approvals.state, "pending"), lte(approvals.expiresAt, sql`cp_now()`));
    // What another process is answering at this moment is its own.
    const free = orm
      .select({ id: approvals.id })
      .from(approvals)
      .where(isOverdue)
      .for("update", { skipLocked: true });
    const overdue = await orm
      .update(approvals)
      .set({ state: "denied", decidedBy: PLATFORM_ACTOR.name, decidedAt: sql`cp_now()` })
      .where(inArray(approvals.id, free))
      .returning();
    for (const row of overdue) await tellAnswer(tx, row, { isOverdue: true });
  });
}

/** To everybody who follows the workspace, and to its agent. */
async function tellAnswer(
  tx: Transaction,
  row: ApprovalRow,
  { isOverdue }: { readonly isOverdue: boolean },
): Promise<void> {
  const { id, workspaceId, action, taskId } = row;
  const decision = row.state === "approved" ? "approved" : "denied";
  const decidedBy = row.decidedBy ?? PLATFORM_ACTOR.name;
  await tellDecision(tx, { id, workspaceId, action, taskId, decision, decidedBy, isOverdue });
  await appendEvent(tx, {
    event: row.state === "approved" ? "APPROVAL_APPROVED" : "APPROVAL_DENIED",
    subjectId: row.workspaceId,
    payload: {
      approval_id: row.id,
      action: row.action,
      task_id: row.taskId,
      decided_by: row.decidedBy,
    },
  });
}

/** Newest first. */
export async function listApprovals(
  q: Queryable,
  workspaceId: string,
  limit: number,
): Promise<ApprovalRow[]> {
  return await ormOf(q)
    .select()
    .from(approvals)
    .where(eq(approvals.workspaceId, workspaceId))
    .orderBy(desc(approvals.createdAt), desc(approvals.id))
    .limit(limit);
}

/** A request and the name of who asks. */
export interface PendingApproval {
  readonly row: ApprovalRow;
  readonly workspaceName: string;
}

/** Those that wait for a person, oldest first. */
export async function listPendingApprovals(q: Queryable): Promise<PendingApproval[]> {
  return await ormOf(q)
    .select({ row: approvals, workspaceName: workspaces.name })
    .from(approvals)
    .innerJoin(workspaces, eq(workspaces.id, approvals.workspaceId))
    .where(and(eq(approvals.state, "pending"), ne(workspaces.intent, "deleted")))
    .orderBy(asc(approvals.createdAt), asc(approvals.id));
}

/** Removes answers older than 30 days. */
export async function trimApprovals(q: Queryable): Promise<void> {
  await ormOf(q).execute(
    sql`DELETE FROM approvals WHERE decided_at < cp_now() - interval '30 days'`,
  );
}
