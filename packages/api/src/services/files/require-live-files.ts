import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import type { Deps } from "../../deps.ts";

/**
 * Refuses operations on folders that only the instance has, where there can be no instance of ours.
 * @throws DomainError `not_found`, `removed`, `not_available_here`, `workspace_paused`.
 */
export async function requireLiveFiles(deps: Deps, workspaceId: string): Promise<void> {
  const row = await readConfig(deps.db, workspaceId);
  if (row.backend === "external") {
    throw new DomainError(
      "not_available_here",
      "This agent runs outside the platform, so only its /configs are here.",
    );
  }
  if (row.intent !== "run") {
    throw new DomainError("workspace_paused", "The files of a paused agent are not reachable.", {
      next: "Resume it first.",
    });
  }
}
