import {
  generationDetail,
  generationHistory,
  generationInput,
  historyInput,
  rollBackInput,
} from "@molecule/contracts/generations";
import {
  configDocument,
  saveInput,
  saveManyInput,
  saveManyResult,
  saveResult,
} from "@molecule/contracts/panel";
import { byWorkspace, secretList } from "@molecule/contracts/procedures";
import { actorOf } from "../context.ts";
import { readDocument } from "../services/config/read-document.ts";
import { readGenerationDetail, readHistory } from "../services/config/read-history.ts";
import { rollBack } from "../services/config/roll-back.ts";
import { saveConfig, saveMany } from "../services/config/save-config.ts";
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
  /** The saves of a team: all of them or none, one restart each. */
  saveMany: writeProcedure
    .input(saveManyInput)
    .output(saveManyResult)
    .mutation(({ ctx, input }) => saveMany(ctx.deps, actorOf(ctx.auth), input.saves)),
  /** What was saved, newest first. */
  history: readProcedure
    .input(historyInput)
    .output(generationHistory)
    .query(({ ctx, input }) => readHistory(ctx.deps, input)),
  generation: readProcedure
    .input(generationInput)
    .output(generationDetail)
    .query(({ ctx, input }) => readGenerationDetail(ctx.deps, input)),
  rollBack: writeProcedure
    .input(rollBackInput)
    .output(saveResult)
    .mutation(({ ctx, input }) => rollBack(ctx.deps, actorOf(ctx.auth), input)),
};
