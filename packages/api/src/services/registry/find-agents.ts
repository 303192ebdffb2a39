import { listPeers, loadParents, loadTarget, type Peer } from "@molecule/db/registry/targets";
import { canCommunicate } from "@molecule/domain/access";
import { DomainError } from "@molecule/domain/errors";
import type { Deps } from "../../deps.ts";

/** May the one speak to the other? False when either is unknown or removed. */
export async function checkAccess(
  deps: Deps,
  pair: { readonly callerId: string; readonly targetId: string },
): Promise<boolean> {
  const parents = await loadParents(deps.db, [pair.callerId, pair.targetId]);
  const caller = placed(parents, pair.callerId);
  const target = placed(parents, pair.targetId);
  if (caller === null || target === null) return false;
  return canCommunicate(caller, target, (id) => parents.get(id));
}

function placed(parents: ReadonlyMap<string, string | null>, id: string) {
  const parentId = parents.get(id);
  return parentId === undefined ? null : { id, parentId };
}

/** The url agents use for one another: always the proxy's. Source: security C2 row 14. */
export function proxyUrl(origin: string, workspaceId: string): string {
  return `${origin}/workspaces/${workspaceId}/a2a`;
}

/**
 * Where to send messages for an agent. @throws DomainError `not_found`, `forbidden`,
 * `workspace_unreachable` (details: its status).
 */
export async function discoverAgent(
  deps: Deps,
  pair: { readonly callerId: string; readonly targetId: string },
): Promise<{ readonly id: string; readonly name: string }> {
  const target = await loadTarget(deps.db, pair.targetId);
  if (target === null) throw new DomainError("not_found", "There is no such workspace.");
  if (!(await checkAccess(deps, pair))) {
    throw new DomainError("forbidden", "These two agents may not speak to each other.");
  }
  if (target.status !== "online" && target.status !== "degraded") {
    throw new DomainError("workspace_unreachable", `${target.name} is not there right now.`, {
      details: { status: target.status },
    });
  }
  return { id: target.id, name: target.name };
}

/** Siblings, children, parent; those whose name or role contains `query` when it is given. */
export async function findPeers(
  deps: Deps,
  workspaceId: string,
  query: string | null,
): Promise<Peer[]> {
  if ((await loadTarget(deps.db, workspaceId)) === null) {
    throw new DomainError("not_found", "There is no such workspace.");
  }
  const peers = await listPeers(deps.db, workspaceId);
  const wanted = (query ?? "").toLowerCase();
  return peers.filter((peer) => `${peer.name}\n${peer.role ?? ""}`.toLowerCase().includes(wanted));
}
