import { configDocument, saveInput, saveResult } from "@molecule/contracts/panel";
import { byWorkspace, secretList } from "@molecule/contracts/procedures";
import { notYet } from "../services/not-yet.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

/** The Configure tab: independent parts, one save. */
export const configRouter = {
  document: readProcedure
    .input(byWorkspace)
    .output(configDocument)
    .query(() => notYet()),
  secrets: readProcedure
    .input(byWorkspace)
    .output(secretList)
    .query(() => notYet()),
  save: writeProcedure
    .input(saveInput)
    .output(saveResult)
    .mutation(() => notYet()),
};
