import { activityList, activityListInput } from "@molecule/contracts/procedures";
import { listActivityViews } from "../services/activity/list-activity.ts";
import { readProcedure } from "../trpc.ts";

/** What happened, in one workspace or in all. */
export const activityRouter = {
  list: readProcedure
    .input(activityListInput)
    .output(activityList)
    .query(({ ctx, input }) => listActivityViews(ctx.deps, input)),
};
