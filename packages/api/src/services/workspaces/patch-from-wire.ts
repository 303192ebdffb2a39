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
    ...(collapsed === undefined ? {} : { collapsed }),
    ...(x === undefined || y === undefined ? {} : { place: { x, y } }),
  };
  await updateWorkspace(deps, actor, request);
  return body.workspace_dir === undefined
    ? { status: "updated" }
    : { status: "updated", needs_restart: true };
}

function directoryOf(text: string | null | undefined): { workspaceDir?: string | null } {
  if (text === undefined) return {};
  return { workspaceDir: text === null || text === "" ? null : checkDirectory(text) };
}
