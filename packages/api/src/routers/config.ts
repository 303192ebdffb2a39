import { configDocument, saveInput, saveResult } from "@molecule/contracts/panel";
import { byWorkspace, secretList } from "@molecule/contracts/procedures";
import { actorOf } from "../context.ts";
import { readDocument } from "../services/config/read-document.ts";
import { saveConfig } from "../services/config/save-config.ts";
import { viewSecrets } from "../services/secrets/manage-secrets.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

/** The Configure tab: independent parts, one save. */
export const configRouter = {
  document: readProcedure
    .input(byWorkspace)
    .output(configDocument)
    .query(({ ctx, input }) => readDocument(ctx.deps, input.workspaceId)),
  secrets: readProcedure
    .input(byWorkspace)
    .output(secretList)
    .query(({ ctx, input }) => viewSecrets(ctx.deps, input.workspaceId)),
  save: writeProcedure
    .input(saveInput)
    .output(saveResult)
    .mutation(({ ctx, input }) => saveConfig(ctx.deps, actorOf(ctx.auth), input)),
};
