import type { ConnectionView } from "@molecule/contracts/procedures";
import type { Transaction } from "@molecule/db/database";
import { lockWorkspace } from "@molecule/db/lifecycle/lock-workspace";
import { recordLifecycle } from "@molecule/db/lifecycle/record-lifecycle";
import { forgetConnection } from "@molecule/db/registry/connect-steps";
import { mintToken, revokeAllTokens } from "@molecule/db/tokens/workspace-tokens";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import type { Actor, Backend } from "@molecule/domain/sets";
import type { Deps } from "../../deps.ts";
import { connectionOf } from "../workspaces/connection-block.ts";

/**
 * Replaces every token of an external workspace by one; whoever holds an old one is refused from then
 * on. SPEC: E4. @throws DomainError `not_found`, `removed`, `bad_request` for an agent that we start.
 */
export async function rotateToken(
  deps: Deps,
  actor: Actor,
  workspaceId: string,
): Promise<ConnectionView> {
  const token = await deps.db.transaction(async (tx) => {
    const { row } = await lockWorkspace(tx, workspaceId);
    requireExternal(row.backend);
    const count = await revokeAllTokens(tx, workspaceId);
    const minted = await mintToken(tx, workspaceId, "external");
    await tellRotation(tx, { workspaceId, actor, count });
    return minted.token;
  });
  return connectionOf(deps.platform.publicUrl, workspaceId, token);
}

/**
 * The snippets once more, with a placeholder for the token, which nobody can show again.
 * @throws DomainError `not_found`, `removed`, `bad_request` for an agent that we start.
 */
export async function readConnection(deps: Deps, workspaceId: string): Promise<ConnectionView> {
  requireExternal((await readConfig(deps.db, workspaceId)).backend);
  return connectionOf(deps.platform.publicUrl, workspaceId, null);
}

function requireExternal(backend: Backend): void {
  if (backend === "external") return;
  throw new DomainError(
    "bad_request",
    "The platform starts this agent itself and gives it a token with every start.",
    { next: "Restart it to have a new one." },
  );
}

async function tellRotation(
  tx: Transaction,
  { workspaceId, actor, count }: { workspaceId: string; actor: Actor; count: number },
): Promise<void> {
  const gone = count === 1 ? "the one before is" : `${count} before are`;
  await recordLifecycle(tx, {
    workspaceId,
    actor,
    sentence: `Token replaced by ${actor.name}; ${gone} refused from now on`,
  });
  await forgetConnection(tx, workspaceId);
}
