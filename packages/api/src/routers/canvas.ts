import { canvasSnapshot } from "@molecule/contracts/workspaces";
import { readSnapshot } from "../services/canvas/read-snapshot.ts";
import { readProcedure } from "../trpc.ts";

/** Opening the canvas: one request. */
export const canvasRouter = {
  snapshot: readProcedure
    .output(canvasSnapshot)
    .query(({ ctx }) => readSnapshot(ctx.deps, ctx.auth)),
};
