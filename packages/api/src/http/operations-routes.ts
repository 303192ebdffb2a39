import { listLoopAges } from "@molecule/db/processes/loop-ticks";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { findWireRow } from "@molecule/db/workspaces/wire-rows";
import { DomainError } from "@molecule/domain/errors";
import { hasMachine } from "@molecule/domain/machine-reach";
import { z } from "zod";
import { actorOf } from "../context.ts";
import type { Deps } from "../deps.ts";
import { noteFailedBootstrap } from "../services/operations/report-bootstrap.ts";
import { viewLiveness } from "../services/operations/view-liveness.ts";
import { mintWorkspaceToken } from "../services/tokens/manage-tokens.ts";
import { updateWorkspace } from "../services/workspaces/update-workspace.ts";
import { ADMIN, WORKSPACE } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

/** The key must be there; null takes the limit away. Cents, as far as the column holds them. */
const budgetBody = z.object({
  budget_limit: z.number().int().min(0).max(2_147_483_647).nullable(),
});

/** Source: wire contract §17. `attempt` is ours: a late report about an older one changes nothing. */
const bootstrapFailedBody = z.object({
  error: z.string().max(65_536).nullish(),
  log_tail: z.string().nullish(),
  attempt: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).nullish(),
});

/** What operators look at and set. Source: wire contract §3.3 (budget), §14 (test token), §17. */
export const operationsRoutes: readonly Route[] = [
  route("GET", "/admin/liveness", ADMIN, async ({ deps }) =>
    ok(viewLiveness(await listLoopAges(deps.db))),
  ),
  route("GET", "/admin/workspaces/:id/test-token", ADMIN, testToken),
  route("POST", "/admin/workspaces/:id/bootstrap-failed", ADMIN, bootstrapFailed),
  route("GET", "/workspaces/:id/console", ADMIN, async ({ deps, workspaceId }) => {
    await requireConsole(deps, workspaceId);
    return ok(await deps.worker.call("console.read", { workspaceId }));
  }),
  route("GET", "/workspaces/:id/budget", WORKSPACE, async ({ deps, workspaceId }) =>
    ok(await budgetOf(deps, workspaceId)),
  ),
  route("PATCH", "/workspaces/:id/budget", ADMIN, setBudget),
];

async function bootstrapFailed({ deps, workspaceId, body }: RequestContext): Promise<Response> {
  const { error, log_tail, attempt } = await body(bootstrapFailedBody);
  const isNoted = await noteFailedBootstrap(deps, {
    workspaceId,
    attemptNo: attempt ?? null,
    error: error ?? "",
    logTail: log_tail ?? "",
  });
  return ok(isNoted ? { ok: true } : { ok: true, no_change: true });
}

/** Machines have one; what runs here, and what runs somewhere else, has not. Source: wire contract §17. */
async function requireConsole(deps: Deps, workspaceId: string): Promise<void> {
  const { backend } = await readConfig(deps.db, workspaceId);
  if (hasMachine(backend)) return;
  throw new DomainError("not_available_here", "This agent has no machine of its own.", {
    next: "Look at the log of the agent's attempt instead.",
  });
}

async function setBudget(context: RequestContext): Promise<Response> {
  const { deps, auth, workspaceId } = context;
  const { budget_limit: budgetLimit } = await context.body(budgetBody);
  await updateWorkspace(deps, actorOf(auth), { id: workspaceId, budgetLimit });
  return ok(await budgetOf(deps, workspaceId));
}

async function budgetOf(deps: Deps, workspaceId: string) {
  const row = await findWireRow(deps.db, workspaceId);
  if (row === null) throw new DomainError("not_found", "There is no such workspace.");
  const { budgetLimit, monthlySpend } = row;
  return {
    budget_limit: budgetLimit,
    monthly_spend: monthlySpend,
    budget_remaining: budgetLimit === null ? null : budgetLimit - monthlySpend,
  };
}

/** For tests of a deployment that is nobody's production. */
async function testToken({ deps, auth, workspaceId }: RequestContext): Promise<Response> {
  if (!deps.platform.givesTestTokens) {
    throw new DomainError("not_found", "There is nothing at this address.");
  }
  // A page can be made to ask with a person's cookie, and a viewer would speak for the agent.
  if (auth.kind !== "admin") {
    throw new DomainError("forbidden", "Only the admin token is given test tokens.");
  }
  const { token } = await mintWorkspaceToken(deps, workspaceId);
  return ok({ auth_token: token, workspace_id: workspaceId });
}
