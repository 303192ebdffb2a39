import { doneResult } from "@molecule/contracts/procedures";
import {
  shownMemories,
  shownMemoriesInput,
  shownMemoryRef,
} from "@molecule/contracts/shown-memories";
import { forgetMemory, recallMemories } from "../services/memory/recall-memories.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

/** Memories that one answer shows; a question finds the others. */
const SHOWN = 50;

/** What an agent remembers, for people. */
export const memoriesRouter = {
  list: readProcedure
    .input(shownMemoriesInput)
    .output(shownMemories)
    .query(async ({ ctx, input: { workspaceId, text } }) => {
      const found = await recallMemories(ctx.deps, workspaceId, { text, limit: SHOWN + 1 });
      const memories = found.slice(0, SHOWN).map(({ row }) => ({
        id: row.id,
        authorId: row.workspaceId,
        content: row.content,
        scope: row.scope,
        namespace: row.namespace,
        createdAt: row.createdAt.toISOString(),
      }));
      return { memories, hasMore: found.length > SHOWN };
    }),
  remove: writeProcedure
    .input(shownMemoryRef)
    .output(doneResult)
    .mutation(async ({ ctx, input }) => {
      await forgetMemory(ctx.deps, input);
      return { done: true as const };
    }),
};
