import { byWorkspace, cardView, peerList } from "@molecule/contracts/procedures";
import { notYet } from "../services/not-yet.ts";
import { readProcedure } from "../trpc.ts";

/** What an agent said about itself, and whom it may speak to. */
export const registryRouter = {
  card: readProcedure
    .input(byWorkspace)
    .output(cardView)
    .query(() => notYet()),
  peers: readProcedure
    .input(byWorkspace)
    .output(peerList)
    .query(() => notYet()),
};
