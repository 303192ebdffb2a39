import {
  cancelResult,
  chatCancelInput,
  chatHistory,
  chatHistoryInput,
  chatRetryInput,
  doneResult,
} from "@molecule/contracts/procedures";
import { actorOf } from "../context.ts";
import { cancelTurn } from "../services/chat/cancel-turn.ts";
import { readHistory } from "../services/chat/read-history.ts";
import { retryMessage } from "../services/chat/retry-message.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

/** Conversations with people. Sending goes through `POST /workspaces/:id/a2a`. */
export const chatRouter = {
  history: readProcedure
    .input(chatHistoryInput)
    .output(chatHistory)
    .query(({ ctx, input }) => readHistory(ctx.deps, input)),
  retry: writeProcedure
    .input(chatRetryInput)
    .output(doneResult)
    .mutation(async ({ ctx, input }) => {
      await retryMessage(ctx.deps, input.activityId);
      return { done: true as const };
    }),
  cancel: writeProcedure
    .input(chatCancelInput)
    .output(cancelResult)
    .mutation(async ({ ctx, input }) => ({
      cancelled: await cancelTurn(ctx.deps, { ...input, actorName: actorOf(ctx.auth).name }),
    })),
};
