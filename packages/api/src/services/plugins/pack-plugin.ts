import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { listManagedFiles, readManagedFile } from "@molecule/db/files/managed-files";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import { isPlatformFile } from "@molecule/domain/paths";
import { isPluginName, PLUGINS_FOLDER, sourceText } from "@molecule/domain/plugins";
import type { Deps } from "../../deps.ts";
import { type TarFile, tarOf } from "../files/tar-archive.ts";
import { installedPlugins } from "./plan-plugins.ts";

/** A plugin as a compressed archive. */
export interface PackedPlugin {
  readonly name: string;
  readonly source: string;
  /** gzip of a tar whose paths begin below the plugin's folder. */
  readonly body: ReadableStream<Uint8Array>;
}

/** Which plugin is wanted as an archive. */
export interface PackWish {
  readonly workspaceId: string;
  readonly name: string;
  /** Empty: what the workspace has in that folder. */
  readonly source: string;
  readonly signal: AbortSignal;
}

/**
 * A plugin for an agent that runs elsewhere: the folder of that name in the workspace's `/configs`, or, by
 * a source that is not installed, what is fetched from there. Source: contract §12, §20.
 * @throws DomainError `bad_request`, `not_found`, `removed`, and as `PluginSources.fetch`.
 */
export async function packPlugin(deps: Deps, wish: PackWish): Promise<PackedPlugin> {
  const { workspaceId, name } = wish;
  if (!isPluginName(name)) {
    throw new DomainError("bad_request", "A plugin’s name has letters, digits, “.”, “_” and “-”.");
  }
  const { config } = await readConfig(deps.db, workspaceId);
  const installed = installedPlugins(config).find((one) => one.name === name);
  const own = installed?.source ?? sourceText({ scheme: "local", name });
  const asked = wish.source === "" ? own : sourceText(deps.plugins.check(wish.source));
  if (asked !== own) return await packFetched(deps, wish, asked);
  const folder = `${PLUGINS_FOLDER}/${name}/`;
  const isShown = (path: string) => installed !== undefined || !isPlatformFile("/configs", path);
  const paths = (await listManagedFiles(deps.db, workspaceId)).flatMap(({ path }) =>
    path.startsWith(folder) && isShown(path) ? [path] : [],
  );
  if (paths.length > 0) {
    return { name, source: own, body: packed(filesOf(deps, { workspaceId, folder, paths })) };
  }
  if (wish.source !== "") return await packFetched(deps, wish, asked);
  throw new DomainError("not_found", `This workspace has no plugin “${name}”.`, {
    next: "Install it, or name the source it is to be taken from.",
  });
}

async function packFetched(deps: Deps, wish: PackWish, source: string): Promise<PackedPlugin> {
  const { plugin, files } = await deps.plugins.fetch({ source, sha256: null }, wish.signal);
  if (plugin.name !== wish.name) {
    throw new DomainError("bad_request", "That source has another plugin.", {
      next: `It is called “${plugin.name}”.`,
    });
  }
  return { name: plugin.name, source: plugin.source, body: packed(entriesOf(files)) };
}

async function* entriesOf(files: ReadonlyMap<string, Uint8Array>): AsyncGenerator<TarFile> {
  for (const [path, content] of files) yield { path, content };
}

function packed(files: AsyncIterable<TarFile>): ReadableStream<Uint8Array> {
  const tar = Readable.from(tarOf(files));
  const gzip = createGzip();
  tar.on("error", (error) => gzip.destroy(error));
  gzip.on("close", () => tar.destroy());
  return Readable.toWeb(tar.pipe(gzip)) as ReadableStream<Uint8Array>;
}

async function* filesOf(
  deps: Deps,
  which: {
    readonly workspaceId: string;
    readonly folder: string;
    readonly paths: readonly string[];
  },
): AsyncGenerator<TarFile> {
  for (const path of which.paths) {
    const file = await readManagedFile(deps.db, which.workspaceId, path);
    // It was removed meanwhile, and so it is not in the plugin any more.
    if (file === null) continue;
    yield { path: path.slice(which.folder.length), content: file.content };
  }
}
