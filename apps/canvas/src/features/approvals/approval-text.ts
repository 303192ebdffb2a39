import type { ApprovalView } from "@molecule/contracts/approvals";

/** A request in one line of a list: who asks for what. */
export function approvalLine(approval: Pick<ApprovalView, "workspaceName" | "action">): string {
  return `${approval.workspaceName} asks: ${approval.action}`;
}

/** Those that still wait at `nowMs`; what nobody answered in time is denied by itself. */
export function stillWaiting<T extends Pick<ApprovalView, "expiresAt">>(
  approvals: readonly T[],
  nowMs: number,
): T[] {
  return approvals.filter(({ expiresAt }) => Date.parse(expiresAt) > nowMs);
}

/** The context as a person reads it; null without any. */
export function contextText(context: string | null): string | null {
  if (context === null) return null;
  try {
    return JSON.stringify(JSON.parse(context), null, 2);
  } catch {
    return context;
  }
}
