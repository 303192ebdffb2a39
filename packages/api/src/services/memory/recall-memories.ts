import { loadFamily } from "@molecule/db/memory/family";
import {
  deleteMemory,
  type FoundMemory,
  type MemoryQuestion,
  searchMemories,
} from "@molecule/db/memory/memory-rows";
import { DomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import { memoryAuthors } from "@molecule/domain/memory";
import type { Deps } from "../../deps.ts";

/** The memories that a workspace may read. SPEC: ME1 to ME6. @throws DomainError `not_found`. */
export async function recallMemories(
  deps: Deps,
  workspaceId: string,
  question: Omit<MemoryQuestion, "authors">,
): Promise<FoundMemory[]> {
  const family = await loadFamily(deps.db, workspaceId);
  const reader = family.find((one) => one.id === workspaceId);
  if (reader === undefined) throw new DomainError("not_found", "There is no such workspace.");
  return await searchMemories(deps.db, { ...question, authors: memoryAuthors(reader, family) });
}

/** Only its author's, whoever may read it. @throws DomainError `not_found`. */
export async function forgetMemory(
  deps: Deps,
  memory: { readonly workspaceId: string; readonly id: string },
): Promise<void> {
  const id = parseWorkspaceId(memory.id);
  const isGone = id !== null && (await deleteMemory(deps.db, { ...memory, id }));
  if (!isGone) throw new DomainError("not_found", "This workspace has no such memory.");
}
