import { createApprovalBody, decideApprovalBody } from "@molecule/contracts/approvals";
import type { ApprovalRow } from "@molecule/db/approvals/approval-rows";
import {
  answerApproval,
  askApproval,
  readApprovals,
  readPendingApprovals,
} from "../services/approvals/manage-approvals.ts";
import { ADMIN, WORKSPACE } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { json, ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

/** What agents ask a person for. Source: wire contract §20. */
export const approvalRoutes: readonly Route[] = [
  route("POST", "/workspaces/:id/approvals", WORKSPACE, ask),
  route("GET", "/workspaces/:id/approvals", WORKSPACE, async ({ deps, auth, workspaceId }) =>
    ok((await readApprovals(deps, auth, workspaceId)).map(viewOf)),
  ),
  // An agent never answers what it, or another one, has asked for.
  route("POST", "/workspaces/:id/approvals/:approvalId/decide", ADMIN, decide),
  route("GET", "/approvals/pending", ADMIN, async ({ deps }) =>
    ok(
      (await readPendingApprovals(deps)).map(({ row, workspaceName }) => ({
        ...viewOf(row),
        workspace_name: workspaceName,
      })),
    ),
  ),
];

async function ask({ deps, workspaceId, body }: RequestContext): Promise<Response> {
  const { action, reason, task_id, context } = await body(createApprovalBody);
  const row = await askApproval(deps, {
    workspaceId,
    action,
    reason: reason ?? "",
    taskId: task_id || null,
    context,
  });
  const { id, state } = row;
  return json(201, { approval_id: id, status: state, expires_at: row.expiresAt.toISOString() });
}

async function decide({
  deps,
  auth,
  workspaceId,
  params,
  body,
}: RequestContext): Promise<Response> {
  const { decision, decided_by } = await body(decideApprovalBody);
  const row = await answerApproval(deps, auth, {
    workspaceId,
    id: params.approvalId ?? "",
    decision,
    decidedBy: decided_by ?? undefined,
  });
  return ok({ status: row.state, approval_id: row.id, decided_by: row.decidedBy });
}

function viewOf(row: ApprovalRow) {
  return {
    id: row.id,
    approval_id: row.id,
    workspace_id: row.workspaceId,
    action: row.action,
    reason: row.reason,
    task_id: row.taskId,
    context: row.context === null ? null : (JSON.parse(row.context) as unknown),
    status: row.state,
    decided_by: row.decidedBy,
    decided_at: row.decidedAt?.toISOString() ?? null,
    created_at: row.createdAt.toISOString(),
    expires_at: row.expiresAt.toISOString(),
  };
}
