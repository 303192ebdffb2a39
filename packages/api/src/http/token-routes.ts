import { MAX_LIVE_TOKENS } from "@molecule/db/tokens/workspace-tokens";
import {
  mintWorkspaceToken,
  readTokens,
  revokeWorkspaceToken,
} from "../services/tokens/manage-tokens.ts";
import { WORKSPACE } from "./guards.ts";
import { boundedInt } from "./query-values.ts";
import type { RequestContext } from "./request-context.ts";
import { json, ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

const MAX_PAGE = 200;

/** Tokens (§14) and templates (§11.1) of the wire contract. */
export const tokenRoutes: readonly Route[] = [
  route("GET", "/workspaces/:id/tokens", WORKSPACE, list),
  route("POST", "/workspaces/:id/tokens", WORKSPACE, mint),
  route("DELETE", "/workspaces/:id/tokens/:tokenId", WORKSPACE, revoke),
];

async function list({ deps, query, workspaceId }: RequestContext): Promise<Response> {
  const limit = boundedInt(query.get("limit"), {
    min: 1,
    max: MAX_PAGE,
    fallback: MAX_LIVE_TOKENS,
  });
  const offset = boundedInt(query.get("offset"), { min: 0, max: 1_000_000, fallback: 0 });
  const rows = await readTokens(deps, workspaceId, { limit, offset });
  const tokens = rows.map((row) => ({
    id: row.id,
    prefix: row.prefix,
    created_at: row.createdAt.toISOString(),
    last_used_at: row.lastUsedAt?.toISOString() ?? null,
  }));
  return ok({ tokens, count: tokens.length });
}

async function mint({ deps, workspaceId }: RequestContext): Promise<Response> {
  const { token } = await mintWorkspaceToken(deps, workspaceId);
  return json(201, {
    auth_token: token,
    workspace_id: workspaceId,
    message: "Keep this token now: it is not shown again.",
  });
}

async function revoke({ deps, workspaceId, params }: RequestContext): Promise<Response> {
  await revokeWorkspaceToken(deps, workspaceId, params.tokenId ?? "");
  return ok({ status: "revoked" });
}
