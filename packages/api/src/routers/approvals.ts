import { approvalList, decideApprovalInput } from "@molecule/contracts/approvals";
import { doneResult } from "@molecule/contracts/procedures";
import { answerApproval, readPendingApprovals } from "../services/approvals/manage-approvals.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

/** What agents ask a person for. */
export const approvalsRouter = {
  pending: readProcedure.output(approvalList).query(async ({ ctx }) =>
    (await readPendingApprovals(ctx.deps)).map(({ row, workspaceName }) => ({
      id: row.id,
      workspaceId: row.workspaceId,
      workspaceName,
      action: row.action,
      reason: row.reason,
      context: row.context,
      createdAt: row.createdAt.toISOString(),
      expiresAt: row.expiresAt.toISOString(),
    })),
  ),
  decide: writeProcedure
    .input(decideApprovalInput)
    .output(doneResult)
    .mutation(async ({ ctx, input }) => {
      await answerApproval(ctx.deps, ctx.auth, input);
      return { done: true as const };
    }),
};
