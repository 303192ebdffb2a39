import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { removedError } from "@molecule/db/lifecycle/lock-workspace";
import { loadNodes } from "@molecule/db/nodes/load-nodes";
import { findRemoved } from "@molecule/db/workspaces/find-removed";
import { DomainError } from "@molecule/domain/errors";
import type { Deps } from "../../deps.ts";

/** Every card, oldest first. */
export async function listNodes(deps: Deps): Promise<WorkspaceNode[]> {
  return await loadNodes(deps.db, { settle: deps.platform.settle });
}

/** One card. @throws DomainError `not_found`, `removed`. */
export async function readNode(deps: Deps, id: string): Promise<WorkspaceNode> {
  const [node] = await loadNodes(deps.db, { ids: [id], settle: deps.platform.settle });
  if (node !== undefined) return node;
  const removed = await findRemoved(deps.db, id);
  if (removed !== null) throw removedError(id, removed.removedAt);
  throw new DomainError("not_found", "There is no such workspace.");
}
