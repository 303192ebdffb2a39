import { lockWorkspace } from "@molecule/db/lifecycle/lock-workspace";
import { forgetConnection, tellConnectStep } from "@molecule/db/registry/connect-steps";
import {
  listTokens,
  lockLiveTokenCount,
  MAX_LIVE_TOKENS,
  mintToken,
  type NewToken,
  revokeToken,
  type TokenRow,
} from "@molecule/db/tokens/workspace-tokens";
import { DomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import type { Deps } from "../../deps.ts";

/** Live tokens of the workspace, newest first. */
export async function readTokens(
  deps: Deps,
  workspaceId: string,
  page: { readonly limit: number; readonly offset: number } = { limit: MAX_LIVE_TOKENS, offset: 0 },
): Promise<TokenRow[]> {
  return await listTokens(deps.db, workspaceId, page);
}

/** A new token that speaks for no attempt. @throws DomainError `not_found`, `removed`, `rate_limited`. */
export async function mintWorkspaceToken(deps: Deps, workspaceId: string): Promise<NewToken> {
  return await deps.db.transaction(async (tx) => {
    const { row } = await lockWorkspace(tx, workspaceId);
    if ((await lockLiveTokenCount(tx, workspaceId)) >= MAX_LIVE_TOKENS) {
      throw new DomainError("rate_limited", `A workspace has ${MAX_LIVE_TOKENS} tokens at most.`, {
        next: "Revoke one that is no longer used.",
      });
    }
    if (row.backend === "external") await tellConnectStep(tx, workspaceId);
    return await mintToken(tx, workspaceId, "minted");
  });
}

/**
 * Revokes a token at once. With its last one an external agent is known to be silent. SPEC: E4.
 * @throws DomainError `not_found`, `removed`.
 */
export async function revokeWorkspaceToken(
  deps: Deps,
  workspaceId: string,
  tokenId: string,
): Promise<void> {
  const id = parseWorkspaceId(tokenId);
  const isGone =
    id !== null &&
    (await deps.db.transaction(async (tx) => {
      const { row } = await lockWorkspace(tx, workspaceId);
      const isRevoked = await revokeToken(tx, workspaceId, id);
      if (!isRevoked) return false;
      const isLast = (await lockLiveTokenCount(tx, workspaceId)) === 0;
      if (row.backend === "external" && isLast) await forgetConnection(tx, workspaceId);
      else await tellConnectStep(tx, workspaceId);
      return true;
    }));
  if (!isGone) throw new DomainError("not_found", "This workspace has no such token.");
}
