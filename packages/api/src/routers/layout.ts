import { doneResult, moveCardsInput, viewportInput } from "@molecule/contracts/procedures";
import { moveCards } from "../services/canvas/move-cards.ts";
import { saveViewport } from "../services/canvas/save-viewport.ts";
import { writeProcedure } from "../trpc.ts";

/** Where things stand on the canvas. */
export const layoutRouter = {
  moveCards: writeProcedure
    .input(moveCardsInput)
    .output(doneResult)
    .mutation(({ ctx, input }) => moveCards(ctx.deps, input.cards)),
  setViewport: writeProcedure
    .input(viewportInput)
    .output(doneResult)
    .mutation(({ ctx, input }) => saveViewport(ctx.deps, input)),
};
