import { templateView } from "@molecule/contracts/workspaces";
import { z } from "zod";
import { notYet } from "../services/not-yet.ts";
import { readProcedure } from "../trpc.ts";

/** What a new workspace can start from. */
export const templatesRouter = {
  list: readProcedure.output(z.array(templateView)).query(() => notYet()),
};
