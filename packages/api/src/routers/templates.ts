import { templateView } from "@molecule/contracts/workspaces";
import { z } from "zod";
import { listTemplates } from "../services/templates/list-templates.ts";
import { readProcedure } from "../trpc.ts";

/** What a new workspace can start from. */
export const templatesRouter = {
  list: readProcedure.output(z.array(templateView)).query(({ ctx }) => listTemplates(ctx.deps)),
};
