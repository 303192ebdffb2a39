import { readManagedFile } from "@molecule/db/files/managed-files";
import { loadParents } from "@molecule/db/registry/targets";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError, isDomainError } from "@molecule/domain/errors";
import type { Auth } from "../../context.ts";
import type { Deps } from "../../deps.ts";
import { parseManagedPath } from "../config/plan-files.ts";

/** A file that a workspace shows to those below it. */
export interface SharedFile {
  readonly path: string;
  readonly content: string;
}

/**
 * The files that the workspace's `config.yaml` names under `shared_context`; those that are not there
 * are left out. For the workspace itself, those below it, and people.
 * @throws DomainError `unauthenticated`, `not_found`, `removed`. Source: contract §9.4.
 */
export async function readSharedContext(
  deps: Deps,
  auth: Auth,
  workspaceId: string,
): Promise<SharedFile[]> {
  if (auth.kind === "workspace") await requireBelow(deps, auth.workspaceId, workspaceId);
  const { config } = await readConfig(deps.db, workspaceId);
  const named = config.extra.shared_context;
  const files: SharedFile[] = [];
  for (const entry of Array.isArray(named) ? named : []) {
    const path = managedPath(entry);
    const file = path === null ? null : await readManagedFile(deps.db, workspaceId, path);
    if (file === null) continue;
    files.push({ path: file.path, content: new TextDecoder().decode(file.content) });
  }
  return files;
}

function managedPath(entry: unknown): string | null {
  try {
    return typeof entry === "string" ? parseManagedPath(entry) : null;
  } catch (error) {
    if (isDomainError(error)) return null;
    throw error;
  }
}

async function requireBelow(deps: Deps, callerId: string, workspaceId: string): Promise<void> {
  const parents = await loadParents(deps.db, [callerId]);
  for (let at: string | null | undefined = callerId, steps = 0; steps <= 32; steps += 1) {
    if (at === workspaceId) return;
    at = at === null || at === undefined ? null : parents.get(at);
  }
  throw new DomainError("unauthenticated", "This is for the workspace and those below it.");
}
