import { applyNow as settleNow } from "@molecule/db/lifecycle/apply-now";
import { orRefused } from "@molecule/db/lifecycle/request-restart";
import type { Actor } from "@molecule/domain/sets";
import type { Deps } from "../../deps.ts";

/** Makes saved changes due at once. @throws DomainError `not_found`, `removed`, `workspace_paused`. */
export async function applyNow(deps: Deps, actor: Actor, id: string): Promise<{ done: true }> {
  orRefused(await deps.db.transaction((tx) => settleNow(tx, { workspaceId: id, actor })));
  return { done: true };
}
