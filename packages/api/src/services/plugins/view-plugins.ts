import type {
  InstalledPlugin,
  OfferedPlugin,
  PluginOffer,
  PluginView,
} from "@molecule/contracts/plugins";
import { type ConfigRow, readConfig } from "@molecule/db/workspaces/config-rows";
import { sourceText, supportSentence, supportsRuntime } from "@molecule/domain/plugins";
import type { Deps } from "../../deps.ts";
import { installedPlugins } from "./plan-plugins.ts";

/** What is known of a plugin that runs. */
type RunningPlugin = Pick<InstalledPlugin, "name" | "version" | "sha256">;

/** What a workspace has, beside what its running agent was started with. SPEC: PL9. */
export function viewPlugins(
  row: Pick<ConfigRow, "config" | "runtime">,
  running: readonly RunningPlugin[],
): { readonly installedPlugins: PluginView[]; readonly leavingPlugins: string[] } {
  const installed = installedPlugins(row.config);
  return {
    installedPlugins: installed.map((plugin) => {
      const runs = running.find(({ name }) => name === plugin.name);
      return {
        ...plugin,
        ...supportOf(plugin, row.runtime),
        runningVersion: runs?.version ?? null,
        isRunning: runs?.sha256 === plugin.sha256,
      };
    }),
    leavingPlugins: running
      .map(({ name }) => name)
      .filter((name) => installed.every((plugin) => plugin.name !== name)),
  };
}

/** Whether this runtime can use it, and why not. SPEC: PL4. */
export function supportOf({ runtimes }: Pick<InstalledPlugin, "runtimes">, runtime: string) {
  return {
    isSupported: supportsRuntime(runtimes, runtime),
    support: supportSentence(runtimes, runtime),
  };
}

/** What the operator offers to an agent, the plugins that do not support its runtime with the reason. */
export async function readOffer(deps: Deps, workspaceId: string): Promise<PluginOffer> {
  const { runtime } = await readConfig(deps.db, workspaceId);
  const found = await deps.plugins.list();
  const plugins: OfferedPlugin[] = [];
  const broken: PluginOffer["broken"] = [];
  for (const one of found) {
    if (one.kind === "broken") {
      broken.push({ name: one.name, cause: one.cause });
      continue;
    }
    const source = sourceText({ scheme: "local", name: one.manifest.name });
    plugins.push({ ...one.manifest, source, ...supportOf(one.manifest, runtime) });
  }
  return { plugins, broken, allowsUnpinned: deps.plugins.settings.allowsUnpinned };
}
