import { createInstructionBody, patchInstructionBody } from "@molecule/contracts/memory";
import type { InstructionRow } from "@molecule/db/instructions/instruction-rows";
import { DomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import {
  addInstruction,
  changeInstruction,
  readInstructions,
  removeInstruction,
  resolveInstructions,
} from "../services/instructions/manage-instructions.ts";
import { ADMIN, WORKSPACE } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { json, ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

/** What the operator tells every agent, or one. Source: wire contract §20. */
export const instructionRoutes: readonly Route[] = [
  route("GET", "/workspaces/:id/instructions/resolve", WORKSPACE, resolve),
  route("GET", "/instructions", ADMIN, list),
  route("POST", "/instructions", ADMIN, create),
  route("PATCH", "/instructions/:instructionId", ADMIN, patch),
  route("DELETE", "/instructions/:instructionId", ADMIN, remove),
];

async function resolve({ deps, workspaceId }: RequestContext): Promise<Response> {
  const instructions = await resolveInstructions(deps, workspaceId);
  return ok({ workspace_id: workspaceId, instructions });
}

async function list({ deps, query }: RequestContext): Promise<Response> {
  const rows = await readInstructions(deps, workspaceOf(query.get("workspace_id")) ?? undefined);
  return ok(rows.map(viewOf));
}

async function create({ deps, body }: RequestContext): Promise<Response> {
  const { title, content, priority, enabled, workspace_id } = await body(createInstructionBody);
  const row = await addInstruction(deps, {
    workspaceId: workspaceOf(workspace_id),
    title: title ?? "",
    content,
    priority: priority ?? 0,
    enabled: enabled ?? true,
  });
  return json(201, viewOf(row));
}

async function patch({ deps, body, params }: RequestContext): Promise<Response> {
  const { title, content, priority, enabled } = await body(patchInstructionBody);
  const row = await changeInstruction(deps, params.instructionId ?? "", {
    ...(isGiven(title) ? { title } : {}),
    ...(isGiven(content) ? { content } : {}),
    ...(isGiven(priority) ? { priority } : {}),
    ...(isGiven(enabled) ? { enabled } : {}),
  });
  return ok(viewOf(row));
}

async function remove({ deps, params }: RequestContext): Promise<Response> {
  await removeInstruction(deps, params.instructionId ?? "");
  return ok({ status: "deleted" });
}

function viewOf(row: InstructionRow) {
  return {
    id: row.id,
    workspace_id: row.workspaceId,
    title: row.title,
    content: row.content,
    priority: row.priority,
    enabled: row.enabled,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}

function workspaceOf(text: string | null | undefined): string | null {
  if (text === null || text === undefined || text === "") return null;
  const id = parseWorkspaceId(text);
  if (id !== null) return id;
  throw new DomainError("bad_request", "workspace_id must be the UUID of a workspace.", {
    details: { field: "workspace_id" },
  });
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}
