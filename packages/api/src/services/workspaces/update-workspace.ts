import type { moveWorkspaceInput, renameWorkspaceInput } from "@molecule/contracts/procedures";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { recordWrite } from "@molecule/db/changes/record-write";
import type { Transaction } from "@molecule/db/database";
import { appendEvent } from "@molecule/db/events/append-event";
import { placeCards, setCollapsed } from "@molecule/db/layouts/layouts";
import { recordLifecycle } from "@molecule/db/lifecycle/record-lifecycle";
import { checkParent } from "@molecule/db/workspaces/hierarchy";
import {
  lockForChange,
  updateWorkspace as storeChange,
  type WorkspaceChange,
  type WorkspaceFacts,
} from "@molecule/db/workspaces/update-workspace";
import { DomainError } from "@molecule/domain/errors";
import type { Actor } from "@molecule/domain/sets";
import type { z } from "zod";
import type { Deps } from "../../deps.ts";
import { readNode } from "./read-node.ts";

/** What may be changed at once; absent fields stay. */
export interface UpdateRequest extends WorkspaceChange {
  readonly id: string;
  readonly place?: { readonly x: number; readonly y: number };
  readonly collapsed?: boolean;
}

/**
 * Changes a workspace. Tier and runtime are part of what an agent is started with, so a change of them
 * restarts it once; its name, role and place are not. What is equal already writes nothing.
 * @throws DomainError `bad_request` (parent, runtime), `not_found`, `removed`.
 */
export async function updateWorkspace(
  deps: Deps,
  actor: Actor,
  request: UpdateRequest,
): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const { id, place, collapsed, ...wanted } = request;
    const { parentId } = wanted;
    if (parentId !== undefined && parentId !== null) await checkParent(tx, { id, parentId });
    const before = await lockForChange(tx, id);
    const change = differing(before, wanted);
    refuseRuntime(before, change);
    refuseSleep(before, change);
    await restartFor(deps, tx, actor, { id, change });
    await storeChange(tx, id, change);
    if (place !== undefined) await placeCards(tx, [{ id, ...place, collapsed }]);
    else if (collapsed !== undefined) await setCollapsed(tx, id, collapsed);
    await tell(tx, actor, before, change);
    const hasMoved = place !== undefined || collapsed !== undefined || "parentId" in change;
    if (hasMoved) await appendEvent(tx, { event: "LAYOUT_UPDATED", subjectId: id, payload: {} });
  });
}

/** Renames a workspace for a person. */
export async function renameWorkspace(
  deps: Deps,
  actor: Actor,
  input: z.infer<typeof renameWorkspaceInput>,
): Promise<WorkspaceNode> {
  const { id, name, role } = input;
  await updateWorkspace(deps, actor, {
    id,
    name,
    ...(role === undefined ? {} : { role: role === "" ? null : role }),
  });
  return await readNode(deps, id);
}

/** Puts a workspace below another one (or to the root) at a place. */
export async function moveWorkspace(
  deps: Deps,
  actor: Actor,
  input: z.infer<typeof moveWorkspaceInput>,
): Promise<WorkspaceNode> {
  const { id, parentId, x, y } = input;
  await updateWorkspace(deps, actor, { id, parentId, place: { x, y } });
  return await readNode(deps, id);
}

function differing(before: WorkspaceFacts, wanted: WorkspaceChange): WorkspaceChange {
  const known: Readonly<Record<string, unknown>> = { ...before };
  return Object.fromEntries(
    Object.entries(wanted).filter(([key, value]) => value !== undefined && known[key] !== value),
  );
}

function refuseRuntime(before: WorkspaceFacts, change: WorkspaceChange): void {
  if (change.runtime === undefined) return;
  if (before.isExternal || change.runtime === "external") {
    throw new DomainError(
      "bad_request",
      "An agent inside the platform and one outside it cannot be turned into each other.",
      { next: "Create a new workspace instead.", details: { field: "runtime" } },
    );
  }
}

function refuseSleep(before: WorkspaceFacts, change: WorkspaceChange): void {
  if (!before.isExternal || (change.hibernationIdleMinutes ?? null) === null) return;
  throw new DomainError(
    "bad_request",
    "An agent outside the platform cannot be put to sleep by it.",
    { details: { field: "hibernation_idle_minutes" } },
  );
}

async function restartFor(
  deps: Deps,
  tx: Transaction,
  actor: Actor,
  { id, change }: { readonly id: string; readonly change: WorkspaceChange },
): Promise<void> {
  const names = (["tier", "runtime"] as const).filter((name) => change[name] !== undefined);
  if (names.length === 0) return;
  await recordWrite(tx, {
    workspaceId: id,
    actor,
    stream: "settings",
    isBatch: false,
    changes: names.map((name) => ({ kind: "setting", name })),
    settings: deps.platform.settle,
  });
}

async function tell(
  tx: Transaction,
  actor: Actor,
  before: WorkspaceFacts,
  change: WorkspaceChange,
): Promise<void> {
  const names = Object.keys(change);
  if (names.length === 0) return;
  const sentence =
    change.name === undefined
      ? null
      : `Renamed from “${before.name}” to “${change.name}” by ${actor.name}`;
  if (sentence !== null) {
    await recordLifecycle(tx, { workspaceId: before.id, actor, type: "change", sentence });
  }
  await appendEvent(tx, {
    event: "WORKSPACE_UPDATED",
    subjectId: before.id,
    payload: { changed: names },
  });
}
