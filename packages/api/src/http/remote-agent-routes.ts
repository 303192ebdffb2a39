import { createCheckpointBody } from "@molecule/contracts/memory";
import type { CheckpointRow } from "@molecule/db/memory/checkpoints";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import { keepCheckpoint, readLatestCheckpoint } from "../services/memory/keep-checkpoints.ts";
import { WORKSPACE } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { json, ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

/** What runtimes, and above all those that run elsewhere, fetch and leave here. Source: wire contract §20. */
export const remoteAgentRoutes: readonly Route[] = [
  route("POST", "/workspaces/:id/checkpoints", WORKSPACE, keep),
  route("GET", "/workspaces/:id/checkpoints/latest", WORKSPACE, latest),
  route("GET", "/workspaces/:id/github-installation-token", WORKSPACE, githubToken),
];

async function keep({ deps, workspaceId, body }: RequestContext): Promise<Response> {
  const fields = await body(createCheckpointBody);
  const workflowId = fields.workflow_id ?? "";
  const row = await keepCheckpoint(deps, { workspaceId, workflowId, fields });
  return json(201, { id: row.id, status: "saved", created_at: row.createdAt.toISOString() });
}

async function latest({ deps, workspaceId, query }: RequestContext): Promise<Response> {
  const workflowId = query.get("workflow_id") || null;
  return ok(viewOf(await readLatestCheckpoint(deps, { workspaceId, workflowId })));
}

/** The agent's own fields, under names that are not ours. */
function viewOf(row: CheckpointRow) {
  return {
    ...(JSON.parse(row.body) as Readonly<Record<string, unknown>>),
    id: row.id,
    workspace_id: row.workspaceId,
    created_at: row.createdAt.toISOString(),
  };
}

/** No GitHub App can be configured here. @throws DomainError `not_available_here`, `not_found`, `removed`. */
async function githubToken({ deps, workspaceId }: RequestContext): Promise<Response> {
  await readConfig(deps.db, workspaceId);
  throw new DomainError("not_available_here", "This platform has no GitHub App.", {
    next: "Give the agent a token of its own as the secret GITHUB_TOKEN.",
  });
}
