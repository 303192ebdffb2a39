import type { FoundMemory } from "@molecule/db/memory/memory-rows";
import { type FoundActivity, searchActivity } from "@molecule/db/memory/search-sessions";
import { askedWords } from "@molecule/domain/memory";
import type { Deps } from "../../deps.ts";
import { recallMemories } from "./recall-memories.ts";

/** What was found in what a workspace did, and in what it may remember. */
export type SessionHit =
  | ({ readonly kind: "activity" } & FoundActivity)
  | ({ readonly kind: "memory" } & FoundMemory);

/**
 * Best first, then newest; without a question the newest of both. A question without letters and digits
 * finds nothing. @throws DomainError `not_found`.
 */
export async function searchSessions(
  deps: Deps,
  asked: { readonly workspaceId: string; readonly text: string; readonly limit: number },
): Promise<SessionHit[]> {
  const { workspaceId, text, limit } = asked;
  const memories = await recallMemories(deps, workspaceId, { text, limit });
  const words = askedWords(text);
  const activity =
    text.trim() !== "" && words.length === 0
      ? []
      : await searchActivity(deps.db, { workspaceId, words, limit });
  const hits: SessionHit[] = [
    ...memories.map((found) => ({ kind: "memory" as const, ...found })),
    ...activity.map((found) => ({ kind: "activity" as const, ...found })),
  ];
  return hits.sort(byScoreAndTime).slice(0, limit);
}

function byScoreAndTime(a: SessionHit, b: SessionHit): number {
  const better = (b.score ?? 0) - (a.score ?? 0);
  return better === 0 ? b.row.createdAt.getTime() - a.row.createdAt.getTime() : better;
}
