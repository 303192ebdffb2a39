import { byWorkspace, cardView, peerList } from "@molecule/contracts/procedures";
import { findPeers } from "../services/registry/find-agents.ts";
import { readAgentCard } from "../services/registry/read-agent-card.ts";
import { readProcedure } from "../trpc.ts";

/** What an agent said about itself, and whom it may speak to. */
export const registryRouter = {
  card: readProcedure
    .input(byWorkspace)
    .output(cardView)
    .query(({ ctx, input }) => readAgentCard(ctx.deps, input.workspaceId)),
  peers: readProcedure
    .input(byWorkspace)
    .output(peerList)
    .query(({ ctx, input }) => findPeers(ctx.deps, input.workspaceId, null)),
};
