import {
  exportOrgInput,
  orgExport,
  orgImportHead,
  orgImportView,
  orgPreview,
  orgTemplateView,
  previewOrgInput,
  readOrgImportInput,
  startOrgInput,
} from "@molecule/contracts/orgs";
import { z } from "zod";
import { actorOf } from "../context.ts";
import { exportTeam } from "../services/orgs/export-team.ts";
import { importTeam } from "../services/orgs/import-team.ts";
import { planTeam, previewTeam, teamOf } from "../services/orgs/plan-import.ts";
import { viewImport, viewImports } from "../services/orgs/view-import.ts";
import { listOrgTemplates } from "../services/templates/list-org-templates.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

/** Teams that are made at once, and taken along. */
export const orgsRouter = {
  list: readProcedure
    .output(z.array(orgTemplateView))
    .query(({ ctx }) => listOrgTemplates(ctx.deps)),
  /** Changes nothing; a mutation, because a team is more than an address holds. */
  previewImport: writeProcedure
    .input(previewOrgInput)
    .output(orgPreview)
    .mutation(async ({ ctx, input }) => {
      const wish = await teamOf(ctx.deps, input);
      return previewTeam(await planTeam(ctx.deps, actorOf(ctx.auth), wish));
    }),
  startImport: writeProcedure
    .input(startOrgInput)
    .output(orgImportView)
    .mutation(async ({ ctx, input: { importId, ...input } }) => {
      const actor = actorOf(ctx.auth);
      const wish = await teamOf(ctx.deps, input);
      const planned = await planTeam(ctx.deps, actor, wish);
      return await viewImport(ctx.deps, await importTeam(ctx.deps, actor, planned, { importId }));
    }),
  readImport: readProcedure
    .input(readOrgImportInput)
    .output(orgImportView)
    .query(({ ctx, input }) => viewImport(ctx.deps, input.id)),
  /** Without a secret; as {@link exportTeam}. */
  exportBundle: readProcedure
    .input(exportOrgInput)
    .output(orgExport)
    .query(async ({ ctx, input }) => {
      const { content, blanked, ...made } = await exportTeam(ctx.deps, input.rootId);
      const contentBase64 = Buffer.from(content).toString("base64");
      return { ...made, contentBase64, blanked: [...blanked] };
    }),
  listImports: readProcedure
    .output(z.array(orgImportHead))
    .query(({ ctx }) => viewImports(ctx.deps)),
};
