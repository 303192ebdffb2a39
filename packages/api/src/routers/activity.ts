import { activityList, activityListInput } from "@molecule/contracts/procedures";
import { notYet } from "../services/not-yet.ts";
import { readProcedure } from "../trpc.ts";

/** What happened, in one workspace or in all. */
export const activityRouter = {
  list: readProcedure
    .input(activityListInput)
    .output(activityList)
    .query(() => notYet()),
};
