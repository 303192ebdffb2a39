import { applyNow as settleNow } from "@molecule/db/lifecycle/apply-now";
import type { Deps } from "../../deps.ts";

/** Makes saved changes due at once. @throws DomainError `not_found`, `removed`. */
export async function applyNow(deps: Deps, id: string): Promise<{ done: true }> {
  await deps.db.transaction((tx) => settleNow(tx, { workspaceId: id }));
  return { done: true };
}
