import type { CreateWorkspaceInput, createWorkspaceResult } from "@molecule/contracts/procedures";
import { DEFAULT_CONCURRENT_TASKS } from "@molecule/domain/delivery";
import type { Actor } from "@molecule/domain/sets";
import type { z } from "zod";
import type { Deps } from "../../deps.ts";
import { createWorkspace } from "./create-workspace.ts";
import { readNode } from "./read-node.ts";

/** Creates a workspace for a person and answers its card. */
export async function createFromCanvas(
  deps: Deps,
  actor: Actor,
  input: CreateWorkspaceInput,
): Promise<z.infer<typeof createWorkspaceResult>> {
  const { x, y } = input;
  const created = await createWorkspace(deps, actor, {
    name: input.name,
    role: emptyAsNull(input.role),
    template: emptyAsNull(input.template),
    runtime: input.runtime ?? null,
    model: emptyAsNull(input.model),
    provider: emptyAsNull(input.provider),
    instructions: input.instructions ?? null,
    tier: input.tier ?? null,
    parentId: input.parentId ?? null,
    backend: input.backend ?? null,
    place: x === null || x === undefined || y === null || y === undefined ? null : { x, y },
    secrets: input.secrets ?? {},
    memories: [],
    url: "",
    maxConcurrentTasks: { asked: null, fallback: DEFAULT_CONCURRENT_TASKS },
    budgetLimit: null,
    workspaceDir: null,
    workspaceAccess: "none",
  });
  const node = await readNode(deps, created.id);
  const { id, connection } = created;
  return connection === null ? { id, node } : { id, node, connection };
}

function emptyAsNull(text: string | null | undefined): string | null {
  return text === undefined || text === "" ? null : text;
}
