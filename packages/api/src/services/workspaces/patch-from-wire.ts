import type { PatchWorkspaceBody } from "@molecule/contracts/wire";
import { DomainError } from "@molecule/domain/errors";
import type { Actor } from "@molecule/domain/sets";
import type { Deps } from "../../deps.ts";
import { parseRuntime } from "./choose-template.ts";
import { checkDirectory, parentOf } from "./create-from-wire.ts";
import { type UpdateRequest, updateWorkspace } from "./update-workspace.ts";

/** Changes a workspace for a script. Source: wire contract §3.3. */
export async function patchFromWire(
  deps: Deps,
  actor: Actor,
  id: string,
  body: PatchWorkspaceBody,
): Promise<{ status: "updated"; needs_restart?: true }> {
  if (actor.kind === "workspace") refuseOwnPromotion(body);
  const { name, role, tier, collapsed, x, y } = body;
  if ((x === undefined) !== (y === undefined)) {
    throw new DomainError("bad_request", "A place needs both x and y.", {
      details: { field: "x" },
    });
  }
  const request: UpdateRequest = {
    id,
    ...(name === undefined ? {} : { name }),
    ...(role === undefined ? {} : { role: role === "" ? null : role }),
    ...(tier === undefined ? {} : { tier }),
    ...(body.runtime === undefined ? {} : { runtime: parseRuntime(body.runtime) }),
    ...(body.parent_id === undefined ? {} : { parentId: parentOf(body.parent_id) }),
    ...directoryOf(body.workspace_dir),
    ...(body.hibernation_idle_minutes === undefined
      ? {}
      : { hibernationIdleMinutes: body.hibernation_idle_minutes }),
    ...(body.max_concurrent_tasks === undefined
      ? {}
      : { maxConcurrentTasks: Math.max(body.max_concurrent_tasks, 1) }),
    ...(collapsed === undefined ? {} : { collapsed }),
    ...(x === undefined || y === undefined ? {} : { place: { x, y } }),
  };
  await updateWorkspace(deps, actor, request);
  return body.workspace_dir === undefined
    ? { status: "updated" }
    : { status: "updated", needs_restart: true };
}

/**
 * What decides whom an agent may reach and what it may use is for people to change.
 * @throws DomainError `forbidden`.
 */
function refuseOwnPromotion(body: PatchWorkspaceBody): void {
  const { tier, parent_id, runtime, workspace_dir } = body;
  if ([tier, parent_id, runtime, workspace_dir].every((value) => value === undefined)) return;
  throw new DomainError(
    "forbidden",
    "An agent cannot change its own tier, team, runtime or folder; a person can.",
  );
}

function directoryOf(text: string | null | undefined): { workspaceDir?: string | null } {
  if (text === undefined) return {};
  return { workspaceDir: text === null || text === "" ? null : checkDirectory(text) };
}
