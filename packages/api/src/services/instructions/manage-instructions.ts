import {
  deleteInstruction,
  type InstructionRow,
  type InstructionWishes,
  insertInstruction,
  listInstructions,
  listInstructionsFor,
  updateInstruction,
} from "@molecule/db/instructions/instruction-rows";
import { lockWorkspace } from "@molecule/db/lifecycle/lock-workspace";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import { instructionsText } from "@molecule/domain/instructions";
import type { Deps } from "../../deps.ts";

/** What an agent is told besides its own configuration. @throws DomainError `not_found`, `removed`. */
export async function resolveInstructions(deps: Deps, workspaceId: string): Promise<string> {
  await readConfig(deps.db, workspaceId);
  return instructionsText(await listInstructionsFor(deps.db, workspaceId));
}

/** All, or those of one workspace alone. */
export async function readInstructions(
  deps: Deps,
  workspaceId: string | undefined,
): Promise<InstructionRow[]> {
  return await listInstructions(deps.db, workspaceId === undefined ? {} : { workspaceId });
}

/** @throws DomainError `not_found`, `removed` (of the workspace), `rate_limited`. */
export async function addInstruction(
  deps: Deps,
  wishes: InstructionWishes & { readonly workspaceId: string | null },
): Promise<InstructionRow> {
  return await deps.db.transaction(async (tx) => {
    if (wishes.workspaceId !== null) await lockWorkspace(tx, wishes.workspaceId);
    return await insertInstruction(tx, wishes);
  });
}

/** @throws DomainError `not_found`. */
export async function changeInstruction(
  deps: Deps,
  id: string,
  changes: Partial<InstructionWishes>,
): Promise<InstructionRow> {
  const known = parseWorkspaceId(id);
  const row = known === null ? null : await updateInstruction(deps.db, known, changes);
  if (row === null) throw noSuchInstruction();
  return row;
}

/** @throws DomainError `not_found`. */
export async function removeInstruction(deps: Deps, id: string): Promise<void> {
  const known = parseWorkspaceId(id);
  if (known === null || !(await deleteInstruction(deps.db, known))) throw noSuchInstruction();
}

function noSuchInstruction(): DomainError {
  return new DomainError("not_found", "There is no such instruction.");
}
