import { isDeepStrictEqual } from "node:util";
import type { InstalledPlugin } from "@molecule/contracts/plugins";
import type { WorkspaceConfig } from "@molecule/contracts/workspaces";
import type { Transaction } from "@molecule/db/database";
import { fileSha256, listManagedFiles } from "@molecule/db/files/managed-files";
import type { ConfigRow } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import { PLUGINS_FOLDER, pluginOfPath } from "@molecule/domain/plugins";

/** A plugin to install or to uninstall. */
export interface PluginWish {
  readonly name: string;
  /** Null uninstalls. */
  readonly content: {
    readonly plugin: InstalledPlugin;
    readonly files: ReadonlyMap<string, Uint8Array>;
  } | null;
  /** `sha256` of what the wish was based on; null: it was not installed. Absent: on nothing. */
  readonly baseSha256?: string | null | undefined;
}

/** What the wishes come to. */
export interface PluginPlan {
  /** Every installed plugin afterwards, by name. */
  readonly installed: readonly InstalledPlugin[];
  /** Those that are another one afterwards, or gone; what is there already is no change. */
  readonly names: readonly string[];
  readonly writes: readonly { readonly path: string; readonly content: Uint8Array | null }[];
}

/**
 * Compares what is wanted with what a workspace has. A plugin is its whole folder: what its new version
 * does not have goes. SPEC: PL8.
 * @throws DomainError `version_conflict` (details: `plugin`, `current_sha256`), `not_found` (uninstalling
 * what is not installed), `conflict` (a folder of that name that no plugin made), `bad_request`.
 */
export async function planPlugins(
  tx: Transaction,
  before: ConfigRow,
  wishes: readonly PluginWish[],
): Promise<PluginPlan> {
  const installed = new Map(installedPlugins(before.config).map((one) => [one.name, one]));
  if (wishes.length === 0) return { installed: [...installed.values()], names: [], writes: [] };
  if (new Set(wishes.map(({ name }) => name)).size < wishes.length) {
    throw new DomainError("bad_request", "A plugin is named twice.");
  }
  const stored = await listManagedFiles(tx, before.id);
  const names: string[] = [];
  const writes: { path: string; content: Uint8Array | null }[] = [];
  for (const wish of wishes) {
    const current = installed.get(wish.name);
    requireBase(wish, current);
    const folder = `${PLUGINS_FOLDER}/${wish.name}/`;
    const present = new Map(
      stored
        .filter(({ path }) => path.startsWith(folder))
        .map(({ path, sha256 }) => [path, sha256]),
    );
    const differing = filesOf(wish, { folder, present });
    if (wish.content === null && current === undefined) throw notInstalled(wish.name);
    if (current === undefined && present.size > 0) requireNobodys(wish.name, differing);
    const isSame = wish.content !== null && isDeepStrictEqual(wish.content.plugin, current);
    if (isSame && differing.length === 0) continue;
    names.push(wish.name);
    writes.push(...differing);
    if (wish.content === null) installed.delete(wish.name);
    else installed.set(wish.name, wish.content.plugin);
  }
  const all = [...installed.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { installed: all, names, writes };
}

/** The plugins of a document, by name; [] for one from before there were any. */
export function installedPlugins(
  config: Pick<WorkspaceConfig, "plugins">,
): readonly InstalledPlugin[] {
  return config.plugins ?? [];
}

/** True for a path in the folder of an installed plugin. */
export function isOfPlugin(config: Pick<WorkspaceConfig, "plugins">, path: string): boolean {
  const name = pluginOfPath(path);
  return name !== null && installedPlugins(config).some((one) => one.name === name);
}

/** @throws DomainError `conflict` for a file of an installed plugin: it is its author's. */
export function refusePluginFile(config: Pick<WorkspaceConfig, "plugins">, path: string): void {
  if (!isOfPlugin(config, path)) return;
  throw new DomainError("conflict", `${path} belongs to the plugin “${pluginOfPath(path)}”.`, {
    next: "Uninstall the plugin to have its files as your own, or install another version of it.",
    details: { path },
  });
}

function notInstalled(name: string): DomainError {
  return new DomainError("not_found", `The plugin “${name}” is not installed here.`);
}

function requireBase({ name, baseSha256 }: PluginWish, current: InstalledPlugin | undefined): void {
  if (baseSha256 === undefined || baseSha256 === (current?.sha256 ?? null)) return;
  throw new DomainError("version_conflict", `The plugin “${name}” was changed meanwhile.`, {
    next: "Look at what is installed now and decide again.",
    details: { plugin: name, current_sha256: current?.sha256 ?? null },
  });
}

function requireNobodys(name: string, differing: PluginPlan["writes"]): void {
  if (differing.length === 0) return;
  throw new DomainError(
    "conflict",
    `There is a folder plugins/${name} already, with files of its own.`,
    {
      next: "Move or delete that folder under Files first.",
      details: { plugin: name },
    },
  );
}

/** Files that differ from what is stored, those that go with null. */
function filesOf(
  { content }: PluginWish,
  { folder, present }: { readonly folder: string; readonly present: ReadonlyMap<string, string> },
): { path: string; content: Uint8Array | null }[] {
  const wanted = new Map(
    [...(content?.files ?? [])].map(([path, bytes]) => [`${folder}${path}`, bytes] as const),
  );
  const gone = [...present.keys()].filter((path) => !wanted.has(path));
  const written = [...wanted].filter(([path, bytes]) => present.get(path) !== fileSha256(bytes));
  return [
    ...gone.map((path) => ({ path, content: null })),
    ...written.map(([path, bytes]) => ({ path, content: bytes })),
  ];
}
