import { createWorkspaceBody, patchWorkspaceBody, restartBody } from "@molecule/contracts/wire";
import { findWireRow, listWireRows } from "@molecule/db/workspaces/wire-rows";
import { DomainError } from "@molecule/domain/errors";
import { actorOf } from "../context.ts";
import { createFromWire } from "../services/workspaces/create-from-wire.ts";
import { patchFromWire } from "../services/workspaces/patch-from-wire.ts";
import {
  hibernateWorkspace,
  pauseWorkspace,
  resumeWorkspace,
} from "../services/workspaces/pause-workspace.ts";
import { removeWorkspace } from "../services/workspaces/remove-workspace.ts";
import { restartWorkspace } from "../services/workspaces/restart-workspace.ts";
import { stopTrying } from "../services/workspaces/stop-trying.ts";
import { viewForStranger, viewInList, viewOne } from "../services/workspaces/wire-view.ts";
import { ADMIN, WORKSPACE } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { json, ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

/** Workspaces for scripts and runtimes. Source: wire contract §3 and §4.1. */
export const workspaceRoutes: readonly Route[] = [
  route("GET", "/workspaces", ADMIN, list),
  route("POST", "/workspaces", ADMIN, create),
  route(
    "GET",
    "/workspaces/:id",
    { kind: "open", reads: "credential", removedIs: "handled" },
    readOne,
  ),
  route("PATCH", "/workspaces/:id", WORKSPACE, patch),
  route("DELETE", "/workspaces/:id", ADMIN, remove),
  route("GET", "/workspaces/:id/state", { kind: "workspace", removedIs: "handled" }, readState),
  route("POST", "/workspaces/:id/restart", WORKSPACE, restart),
  route("POST", "/workspaces/:id/stop-trying", ADMIN, stop),
  route("POST", "/workspaces/:id/pause", WORKSPACE, pause),
  route("POST", "/workspaces/:id/resume", WORKSPACE, resume),
  route("POST", "/workspaces/:id/hibernate", WORKSPACE, hibernate),
];

async function list({ deps }: RequestContext): Promise<Response> {
  const rows = await listWireRows(deps.db);
  return ok(rows.map((row) => viewInList(row, deps.platform)));
}

async function create({ deps, auth, body }: RequestContext): Promise<Response> {
  return json(201, await createFromWire(deps, actorOf(auth), await body(createWorkspaceBody)));
}

/** Open to strangers: they learn that it exists and its status. */
async function readOne({ deps, auth, workspaceId, query }: RequestContext): Promise<Response> {
  const row = await findWireRow(deps.db, workspaceId);
  if (row === null) throw new DomainError("not_found", "There is no such workspace.");
  if (row.intent === "deleted" && query.get("include_removed") !== "true") {
    throw new DomainError("removed", "This workspace has been removed.", {
      next: "Create a new workspace.",
      details: { id: row.id, removed_at: row.removedAt?.toISOString() ?? null },
    });
  }
  const isOwn = auth.kind === "workspace" && auth.workspaceId === workspaceId && !auth.isSuperseded;
  const sees = auth.kind === "member" || auth.kind === "admin" || isOwn;
  return ok(sees ? viewOne(row, deps.platform) : viewForStranger(row));
}

async function patch({ deps, auth, workspaceId, body }: RequestContext): Promise<Response> {
  const change = await body(patchWorkspaceBody);
  return ok(await patchFromWire(deps, actorOf(auth), workspaceId, change));
}

async function remove({ deps, auth, workspaceId, query }: RequestContext): Promise<Response> {
  const isConfirmed = query.get("confirm") === "true";
  const answer = await removeWorkspace(deps, actorOf(auth), { id: workspaceId, isConfirmed });
  if (answer.kind === "confirmation_required") {
    const { children } = answer;
    const message = `This also removes ${children.length} workspaces below it. Repeat with ?confirm=true.`;
    return json(409, {
      status: "confirmation_required",
      error: message,
      code: "confirmation_required",
      message,
      children,
      children_count: children.length,
    });
  }
  const status = query.get("purge") === "true" ? "purged" : "removed";
  return ok({ status, cascade_deleted: answer.removed - 1 });
}

async function readState({ deps, workspaceId }: RequestContext): Promise<Response> {
  const row = await findWireRow(deps.db, workspaceId);
  if (row === null || row.intent === "deleted") {
    return json(404, {
      error: "There is no such workspace.",
      code: row === null ? "not_found" : "removed",
      workspace_id: workspaceId,
      deleted: true,
      ...(row === null ? {} : { status: row.status }),
    });
  }
  const { status, intent } = row;
  return ok({ workspace_id: workspaceId, status, paused: intent === "paused", deleted: false });
}

async function restart({
  deps,
  auth,
  workspaceId,
  body,
  query,
  req,
}: RequestContext): Promise<Response> {
  const wish = await body(restartBody);
  const inQuery = query.get("reset");
  if (inQuery !== null && inQuery !== "true" && inQuery !== "false") {
    throw new DomainError("bad_request", "The parameter “reset” is true or false.", {
      details: { field: "reset" },
    });
  }
  const answer = await restartWorkspace(deps, actorOf(auth), {
    id: workspaceId,
    clickId: clickIdOf(req.headers.get("idempotency-key")),
    body: inQuery === "true" ? { ...wish, reset: true } : wish,
  });
  const row = await findWireRow(deps.db, workspaceId);
  return ok({
    status: row?.status ?? "provisioning",
    config_dir: answer.configDir,
    reset_session: answer.isReset,
    attempt: answer.attempt,
    message: answer.message,
    ...(answer.leftOut.length === 0 ? {} : { left_out: answer.leftOut }),
  });
}

/** The same key is the same click. */
function clickIdOf(header: string | null): string | null {
  if (header === null || header === "") return null;
  if (/^[\w.:-]{1,128}$/.test(header)) return header;
  throw new DomainError(
    "bad_request",
    "The Idempotency-Key must be up to 128 letters and digits.",
    {
      details: { field: "idempotency-key" },
    },
  );
}

async function stop({ deps, auth, workspaceId }: RequestContext): Promise<Response> {
  return ok(await stopTrying(deps, actorOf(auth), workspaceId));
}

async function pause({ deps, auth, workspaceId }: RequestContext): Promise<Response> {
  const { count } = await pauseWorkspace(deps, actorOf(auth), workspaceId);
  return ok({ status: "paused", paused_count: count });
}

async function resume({ deps, auth, workspaceId }: RequestContext): Promise<Response> {
  const { count } = await resumeWorkspace(deps, actorOf(auth), workspaceId);
  return ok({ status: "provisioning", resumed_count: count });
}

async function hibernate({ deps, auth, workspaceId, query }: RequestContext): Promise<Response> {
  const isForced = query.get("force") === "true";
  await hibernateWorkspace(deps, actorOf(auth), { id: workspaceId, isForced });
  return ok({ status: "hibernated" });
}
