import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { listManagedFiles, readManagedFile } from "@molecule/db/files/managed-files";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import { isPlatformFile } from "@molecule/domain/paths";
import type { Deps } from "../../deps.ts";
import { type TarFile, tarOf } from "./tar-archive.ts";

/** Where plugins come from here: from the workspace's own files. Source: wire contract §12. */
const SCHEMES = ["local"];
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** A plugin of a workspace as a compressed archive. */
export interface PackedPlugin {
  readonly name: string;
  readonly source: string;
  /** gzip of a tar whose paths begin below the plugin's folder. */
  readonly body: ReadableStream<Uint8Array>;
}

/**
 * The folder `/configs/plugins/<name>` of a workspace, for an agent that runs elsewhere.
 * @throws DomainError `bad_request`, `not_found`, `removed`. Source: contract §12, §20.
 */
export async function packPlugin(
  deps: Deps,
  wanted: { readonly workspaceId: string; readonly name: string; readonly source: string },
): Promise<PackedPlugin> {
  const { workspaceId, name } = wanted;
  if (!NAME.test(name)) {
    throw new DomainError("bad_request", "A plugin's name has letters, digits, “.”, “_” and “-”.");
  }
  requireOwnSource(wanted);
  await readConfig(deps.db, workspaceId);
  const folder = `plugins/${name}/`;
  const paths = (await listManagedFiles(deps.db, workspaceId)).flatMap(({ path }) =>
    path.startsWith(folder) && !isPlatformFile("/configs", path) ? [path] : [],
  );
  if (paths.length === 0) {
    throw new DomainError("not_found", `This workspace has no plugin “${name}”.`, {
      next: `Put its files under /configs/plugins/${name}.`,
    });
  }
  const tar = Readable.from(tarOf(filesOf(deps, { workspaceId, folder, paths })));
  const gzip = createGzip();
  tar.on("error", (error) => gzip.destroy(error));
  gzip.on("close", () => tar.destroy());
  const body = Readable.toWeb(tar.pipe(gzip)) as ReadableStream<Uint8Array>;
  return { name, source: `local://${name}`, body };
}

function requireOwnSource({ name, source }: { readonly name: string; readonly source: string }) {
  if (["", name, `local://${name}`].includes(source)) return;
  const scheme = /^([a-z0-9+.-]+):\/\//i.exec(source)?.[1];
  const sentence =
    scheme === undefined || SCHEMES.includes(scheme)
      ? "The source is another plugin's."
      : "This platform has plugins of its own workspaces only.";
  throw new DomainError("bad_request", sentence, { details: { available_schemes: SCHEMES } });
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
