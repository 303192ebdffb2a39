import { byWorkspace } from "@molecule/contracts/procedures";
import { terminalList, terminalTicket } from "@molecule/contracts/terminal";
import { issueTicket } from "../services/terminal/permit.ts";
import { writeProcedure } from "../trpc.ts";

/** What a page needs to open a terminal; the terminal itself is a WebSocket. */
export const terminalRouter = {
  ticket: writeProcedure
    .input(byWorkspace)
    .output(terminalTicket)
    .mutation(async ({ ctx, input }) => ({
      ticket: await issueTicket(ctx.deps, ctx.auth, input.workspaceId),
    })),
  /** Those that live, oldest first, wherever their workers are. */
  list: writeProcedure
    .input(byWorkspace)
    .output(terminalList)
    .query(async ({ ctx, input }) => {
      const answers = await ctx.deps.worker.callAll("terminal.list", input);
      const terminals = answers.flatMap((one) => one.terminals);
      return { terminals: terminals.sort((a, b) => a.openedAt.localeCompare(b.openedAt)) };
    }),
};
