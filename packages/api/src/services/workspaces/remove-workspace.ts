import type { removalPreview, removeWorkspaceInput } from "@molecule/contracts/procedures";
import type { Transaction } from "@molecule/db/database";
import { lockSubtree } from "@molecule/db/lifecycle/ancestors";
import { setIntent } from "@molecule/db/lifecycle/set-intent";
import { listChildren, listDescendants } from "@molecule/db/workspaces/hierarchy";
import { DomainError } from "@molecule/domain/errors";
import type { Actor } from "@molecule/domain/sets";
import type { z } from "zod";
import type { Deps } from "../../deps.ts";
import { readNode } from "./read-node.ts";

/** What a removal would take with it. @throws DomainError `not_found`, `removed`. */
export async function previewRemoval(
  deps: Deps,
  id: string,
): Promise<z.infer<typeof removalPreview>> {
  const node = await readNode(deps, id);
  const children = await listDescendants(deps.db, id);
  const team = children.length;
  const consequences = [
    `“${node.name}” is stopped and its files, settings, secrets and history are deleted.`,
    ...(team === 0
      ? []
      : [`So are ${team === 1 ? "its team member" : `its ${team} team members`}.`]),
    ...(node.activeTasks === 0 ? [] : ["What it is working on right now is lost."]),
    "Its tokens stop working at once. This cannot be undone.",
  ];
  return { children, count: team + 1, consequences };
}

/**
 * Removes a workspace and everything below it, if that is still as many as the person was shown.
 * @throws DomainError `confirmation_required`, `not_found`, `removed`.
 */
export async function removeConfirmed(
  deps: Deps,
  actor: Actor,
  input: z.infer<typeof removeWorkspaceInput>,
): Promise<{ removed: number }> {
  return await deps.db.transaction(async (tx) => {
    const count = (await lockSubtree(tx, input.id)).length;
    if (count > 0 && count !== input.confirmedCount) {
      throw new DomainError(
        "confirmation_required",
        "The team has changed since you were asked; look at what would be removed again.",
        { details: { count } },
      );
    }
    return await remove(tx, actor, input.id);
  });
}

/** What a script's removal did, or which children it would take with it. */
export type RemovalAnswer =
  | { readonly kind: "removed"; readonly removed: number }
  | {
      readonly kind: "confirmation_required";
      readonly children: readonly { readonly id: string; readonly name: string }[];
    };

/** Removes for a script: children need `isConfirmed`. @throws DomainError `not_found`, `removed`. */
export async function removeWorkspace(
  deps: Deps,
  actor: Actor,
  request: { readonly id: string; readonly isConfirmed: boolean },
): Promise<RemovalAnswer> {
  return await deps.db.transaction(async (tx) => {
    await lockSubtree(tx, request.id);
    const children = request.isConfirmed ? [] : await listChildren(tx, request.id);
    if (children.length > 0) return { kind: "confirmation_required", children };
    return { kind: "removed", ...(await remove(tx, actor, request.id)) };
  });
}

async function remove(tx: Transaction, actor: Actor, id: string): Promise<{ removed: number }> {
  const { affected } = await setIntent(tx, { workspaceId: id, actor, to: "delete" });
  return { removed: affected.length };
}
