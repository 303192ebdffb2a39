import { installPluginBody, type PluginManifest } from "@molecule/contracts/plugins";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import { isPluginName, PLUGIN_SCHEMES, supportsRuntime } from "@molecule/domain/plugins";
import { actorOf } from "../context.ts";
import type { Deps } from "../deps.ts";
import { installPlugin, uninstallPlugin } from "../services/plugins/fetch-plugin.ts";
import { packPlugin } from "../services/plugins/pack-plugin.ts";
import { installedPlugins } from "../services/plugins/plan-plugins.ts";
import { SIGNED_IN, WORKSPACE } from "./guards.ts";
import { goneOf } from "./incoming.ts";
import { readJson } from "./read-body.ts";
import { parseBody, type RequestContext } from "./request-context.ts";
import { ok } from "./respond.ts";
import { type Route, route, streaming } from "./router.ts";
import { requireJsonType } from "./same-origin.ts";

/** Plugins, for runtimes and scripts. Source: wire contract §12. */
export const pluginRoutes: readonly Route[] = [
  route("GET", "/plugins", SIGNED_IN, async ({ deps, query }) =>
    ok(await offered(deps, query.get("runtime") ?? "")),
  ),
  route("GET", "/plugins/sources", SIGNED_IN, () => ok({ schemes: [...PLUGIN_SCHEMES] })),
  route("GET", "/workspaces/:id/plugins", WORKSPACE, async ({ deps, workspaceId }) => {
    const { config, runtime } = await readConfig(deps.db, workspaceId);
    return ok(
      installedPlugins(config).map((plugin) => ({
        ...rowOf(plugin),
        supported_on_runtime: supportsRuntime(plugin.runtimes, runtime),
        source: plugin.source,
        sha256: plugin.sha256,
      })),
    );
  }),
  route("GET", "/workspaces/:id/plugins/available", WORKSPACE, async ({ deps, workspaceId }) => {
    const { runtime } = await readConfig(deps.db, workspaceId);
    return ok(await offered(deps, runtime));
  }),
  route("GET", "/workspaces/:id/plugins/compatibility", WORKSPACE, compatibility),
  // Its body has a limit of its own.
  streaming(route("POST", "/workspaces/:id/plugins", WORKSPACE, install)),
  route("DELETE", "/workspaces/:id/plugins/:name", WORKSPACE, uninstall),
  route("GET", "/workspaces/:id/plugins/:name/download", WORKSPACE, download),
];

/** A row as the contract has it, and nothing besides. */
function rowOf(manifest: PluginManifest): PluginManifest {
  const { name, version, description, author, tags, skills, runtimes } = manifest;
  return { name, version, description, author, tags, skills, runtimes };
}

/** The operator's plugins that a runtime can use; all of them for none. */
async function offered(deps: Deps, runtime: string): Promise<PluginManifest[]> {
  const found = await deps.plugins.list();
  for (const one of found) {
    if (one.kind === "plugin") continue;
    deps.log.warn({ plugin: one.name, cause: one.cause }, "a folder of the plugins is left out");
  }
  return found
    .flatMap((one) => (one.kind === "plugin" ? [rowOf(one.manifest)] : []))
    .filter(({ runtimes }) => runtime === "" || supportsRuntime(runtimes, runtime));
}

async function compatibility({ deps, workspaceId, query }: RequestContext): Promise<Response> {
  const runtime = (query.get("runtime") ?? "").trim();
  if (!/^[\w.-]{1,100}$/.test(runtime)) {
    throw new DomainError("bad_request", "Say which runtime: ?runtime=NAME.", {
      details: { field: "runtime" },
    });
  }
  const { config } = await readConfig(deps.db, workspaceId);
  const rows = installedPlugins(config);
  const [compatible, incompatible] = [true, false].map((isWanted) =>
    rows.filter(({ runtimes }) => supportsRuntime(runtimes, runtime) === isWanted).map(rowOf),
  );
  return ok({
    target_runtime: runtime,
    compatible,
    incompatible,
    all_compatible: incompatible?.length === 0,
  });
}

async function install({ deps, auth, req, workspaceId }: RequestContext): Promise<Response> {
  if (auth.kind === "member") requireJsonType(req);
  const body = await readJson(req, deps.plugins.settings.bodyMaxBytes);
  const { source, sha256 } = parseBody(installPluginBody, body);
  const { content } = await installPlugin(deps, actorOf(auth), {
    workspaceId,
    source,
    sha256: sha256 ?? null,
    signal: goneOf(req),
  });
  const { plugin } = content;
  return ok({
    status: "installed",
    plugin: plugin.name,
    source: plugin.source,
    version: plugin.version,
    sha256: plugin.sha256,
  });
}

async function uninstall({ deps, auth, workspaceId, params }: RequestContext): Promise<Response> {
  const name = params.name ?? "";
  if (!isPluginName(name)) {
    throw new DomainError("bad_request", "A plugin’s name has letters, digits, “.”, “_” and “-”.");
  }
  await uninstallPlugin(deps, actorOf(auth), { workspaceId, name });
  return ok({ status: "uninstalled", plugin: name });
}

async function download({ deps, req, workspaceId, params, query }: RequestContext) {
  const packed = await packPlugin(deps, {
    workspaceId,
    name: params.name ?? "",
    source: query.get("source") ?? "",
    signal: goneOf(req),
  });
  return new Response(packed.body, {
    headers: {
      "content-type": "application/gzip",
      "content-disposition": `attachment; filename="${packed.name}.tar.gz"`,
      "cache-control": "no-store",
      "x-plugin-name": packed.name,
      "x-plugin-source": packed.source,
    },
  });
}
