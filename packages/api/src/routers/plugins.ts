import { fetchedPlugin, fetchPluginInput, pluginOffer } from "@molecule/contracts/plugins";
import { byWorkspace } from "@molecule/contracts/procedures";
import { actorOf } from "../context.ts";
import { fetchPlugin } from "../services/plugins/fetch-plugin.ts";
import { readOffer } from "../services/plugins/view-plugins.ts";
import { readProcedure, writeProcedure } from "../trpc.ts";

/** Plugins of the Configure tab: what is offered, and fetching one for the next save. */
export const pluginsRouter = {
  offer: readProcedure
    .input(byWorkspace)
    .output(pluginOffer)
    .query(({ ctx, input }) => readOffer(ctx.deps, input.workspaceId)),
  fetch: writeProcedure
    .input(fetchPluginInput)
    .output(fetchedPlugin)
    .mutation(({ ctx, input, signal }) =>
      fetchPlugin(ctx.deps, actorOf(ctx.auth), {
        ...input,
        sha256: input.sha256 ?? null,
        signal: signal ?? new AbortController().signal,
      }),
    ),
};
