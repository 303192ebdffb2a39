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
