import {
  type ApprovalRow,
  decideApproval,
  expireApprovals,
  insertApproval,
  listApprovals,
  listPendingApprovals,
  type PendingApproval,
} from "@molecule/db/approvals/approval-rows";
import { dropDecisions } from "@molecule/db/approvals/tell-decision";
import { lockWorkspace } from "@molecule/db/lifecycle/lock-workspace";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import type { ApprovalDecision } from "@molecule/domain/approval";
import { DomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import { jsonWithoutSecrets, withoutSecrets } from "@molecule/domain/without-secrets";
import { type Auth, actorOf } from "../../context.ts";
import type { Deps } from "../../deps.ts";
import { secretsOf } from "../memory/keep-memory.ts";

/** Largest context of a request, as JSON text, in characters. */
const MAX_CONTEXT_CHARS = 16_384;
const SHOWN_REQUESTS = 100;

/** What an agent asks for. */
export interface ApprovalRequest {
  readonly workspaceId: string;
  readonly action: string;
  readonly reason: string;
  readonly taskId: string | null;
  /** Any JSON; undefined and null: none. */
  readonly context: unknown;
}

/**
 * Asks a person, without the secrets of the workspace. SPEC: AP2, AP4, AP5.
 * @throws DomainError `not_found`, `removed`, `payload_too_large`, `rate_limited`.
 */
export async function askApproval(deps: Deps, request: ApprovalRequest): Promise<ApprovalRow> {
  await expireApprovals(deps.db);
  const { workspaceId } = request;
  return await deps.db.transaction(async (tx) => {
    await lockWorkspace(tx, workspaceId);
    const secrets = await secretsOf(deps, tx, workspaceId);
    return await insertApproval(tx, {
      workspaceId,
      action: withoutSecrets(request.action, secrets),
      reason: withoutSecrets(request.reason, secrets),
      taskId: request.taskId === null ? null : withoutSecrets(request.taskId, secrets),
      context: contextText(request.context, secrets),
    });
  });
}

function contextText(context: unknown, secrets: readonly string[]): string | null {
  if (context === undefined || context === null) return null;
  const text = JSON.stringify(jsonWithoutSecrets(context, secrets));
  if (text.length <= MAX_CONTEXT_CHARS) return text;
  throw new DomainError(
    "payload_too_large",
    `The context has ${MAX_CONTEXT_CHARS} characters of JSON at most.`,
    { details: { field: "context" } },
  );
}

/**
 * The newest requests of a workspace. An agent that reads an answer itself is not told it again. SPEC: AP6.
 * @throws DomainError `not_found`, `removed`.
 */
export async function readApprovals(
  deps: Deps,
  auth: Auth,
  workspaceId: string,
): Promise<ApprovalRow[]> {
  await readConfig(deps.db, workspaceId);
  await expireApprovals(deps.db);
  const rows = await listApprovals(deps.db, workspaceId, SHOWN_REQUESTS);
  const approvalIds = rows.filter(({ state }) => state !== "pending").map(({ id }) => id);
  if (auth.kind === "workspace" && approvalIds.length > 0) {
    await deps.db.transaction((tx) => dropDecisions(tx, { workspaceId, approvalIds }));
  }
  return rows;
}

/** What waits for a person, oldest first. */
export async function readPendingApprovals(deps: Deps): Promise<PendingApproval[]> {
  await expireApprovals(deps.db);
  return await listPendingApprovals(deps.db);
}

/**
 * Answers a request. Its callers let people and the operator through and no agent. SPEC: AP1, AP3.
 * @throws DomainError `not_found`, `conflict` (answered otherwise, or too late).
 */
export async function answerApproval(
  deps: Deps,
  auth: Auth,
  answer: {
    readonly workspaceId: string;
    readonly id: string;
    readonly decision: ApprovalDecision;
    /** Whom the operator's script names; a person's own name is known. */
    readonly decidedBy?: string | undefined;
  },
): Promise<ApprovalRow> {
  const id = parseWorkspaceId(answer.id);
  if (id === null) {
    throw new DomainError("not_found", "This workspace has asked for nothing under this id.");
  }
  const { name } = actorOf(auth);
  const decidedBy = auth.kind === "admin" ? answer.decidedBy || name : name;
  await expireApprovals(deps.db);
  return await deps.db.transaction((tx) => decideApproval(tx, { ...answer, id, decidedBy }));
}
