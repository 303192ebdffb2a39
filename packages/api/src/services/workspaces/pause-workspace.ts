import { lackingKeys } from "@molecule/db/lifecycle/lacking-keys";
import { setIntent } from "@molecule/db/lifecycle/set-intent";
import type { Actor } from "@molecule/domain/sets";
import type { Deps } from "../../deps.ts";

/** Pauses a workspace and everything below it. @throws DomainError `not_found`, `removed`. */
export async function pauseWorkspace(
  deps: Deps,
  actor: Actor,
  id: string,
): Promise<{ count: number }> {
  return await change(deps, actor, id, "pause");
}

/**
 * Resumes a workspace and the paused ones below it.
 * @throws DomainError `not_found` (also: not paused), `removed`, `conflict` below a paused ancestor,
 * `missing_required_key` for what was made at rest (details: `missing`, `lacking`).
 */
export async function resumeWorkspace(
  deps: Deps,
  actor: Actor,
  id: string,
): Promise<{ count: number }> {
  return await change(deps, actor, id, "resume");
}

/**
 * Puts one workspace to sleep; a message wakes it. One that works is left alone unless `isForced`.
 * @throws DomainError `not_found` (also: not online), `removed`, `conflict` (details: `active_tasks`).
 */
export async function hibernateWorkspace(
  deps: Deps,
  actor: Actor,
  request: { readonly id: string; readonly isForced: boolean },
): Promise<{ count: number }> {
  const { id, isForced } = request;
  const intent = { workspaceId: id, actor, to: "hibernate", isForced } as const;
  const { affected } = await deps.db.transaction((tx) => setIntent(tx, intent));
  return { count: affected.length };
}

async function change(deps: Deps, actor: Actor, workspaceId: string, to: "pause" | "resume") {
  const { affected } = await deps.db.transaction((tx) =>
    setIntent(tx, {
      workspaceId,
      actor,
      to,
      lacks: (own, row) => lackingKeys(own, deps.cipher, row),
    }),
  );
  return { count: affected.length };
}
