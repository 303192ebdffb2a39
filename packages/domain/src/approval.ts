import type { ApprovalState } from "./sets.ts";

/** How long a person has for an answer, in seconds. Source: wire contract §20. */
export const APPROVAL_SECONDS = 600;
/** Requests of one workspace that may wait at a time. */
export const MAX_PENDING_APPROVALS = 20;

/** An answer to a request. */
export type ApprovalDecision = Exclude<ApprovalState, "pending">;

/** What an answer does: it counts, it was given already, or another one was. */
export type AnswerOutcome = "counts" | "same" | "too_late";

/** The first answer counts. SPEC: AP1. */
export function answerOutcome(state: ApprovalState, decision: ApprovalDecision): AnswerOutcome {
  if (state === "pending") return "counts";
  return state === decision ? "same" : "too_late";
}

/** The id of the message that tells an agent the answer: a request is told once. */
export function approvalNoteId(approvalId: string): string {
  return `approval:${approvalId}`;
}

/** A request that was answered. */
export interface DecidedApproval {
  readonly action: string;
  readonly decision: ApprovalDecision;
  /** Name for people. */
  readonly decidedBy: string;
  /** Nobody had answered in time. */
  readonly isOverdue: boolean;
}

/** What the agent that asked is told. SPEC: AP6. */
export function approvalNote({ action, decision, decidedBy, isOverdue }: DecidedApproval): string {
  const asked = `You asked a person whether you may: ${action}`;
  if (decision === "approved") return `${asked}\nApproved by ${decidedBy}. You may do it now.`;
  const by = isOverdue
    ? `Nobody answered within ${APPROVAL_SECONDS / 60} minutes, so it is denied.`
    : `Denied by ${decidedBy}.`;
  return `${asked}\n${by} Do not do it.`;
}
