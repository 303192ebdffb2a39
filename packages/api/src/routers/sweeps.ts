import { byId, doneResult } from "@molecule/contracts/procedures";
import { sweepHoldList } from "@molecule/contracts/sweeps";
import type { SweepHoldState } from "@molecule/domain/sets";
import { answerHold, readHolds } from "../services/sweeps/manage-holds.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

const answer = (to: Exclude<SweepHoldState, "open">) =>
  writeProcedure
    .input(byId)
    .output(doneResult)
    .mutation(async ({ ctx, input }) => {
      await answerHold(ctx.deps, ctx.auth, { id: input.id, to });
      return { done: true as const };
    });

/** What sweeps ask the owner before they go on. */
export const sweepsRouter = {
  holds: readProcedure.output(sweepHoldList).query(({ ctx }) => readHolds(ctx.deps)),
  confirm: answer("confirmed"),
  dismiss: answer("dismissed"),
};
