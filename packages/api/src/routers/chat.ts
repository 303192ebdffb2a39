import {
  cancelResult,
  chatCancelInput,
  chatHistory,
  chatHistoryInput,
  chatRetryInput,
  doneResult,
} from "@molecule/contracts/procedures";
import { notYet } from "../services/not-yet.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

/** Conversations with people. Sending goes through `POST /workspaces/:id/a2a`. */
export const chatRouter = {
  history: readProcedure
    .input(chatHistoryInput)
    .output(chatHistory)
    .query(() => notYet()),
  retry: writeProcedure
    .input(chatRetryInput)
    .output(doneResult)
    .mutation(() => notYet()),
  cancel: writeProcedure
    .input(chatCancelInput)
    .output(cancelResult)
    .mutation(() => notYet()),
};
