import type { ConfigDocument } from "@molecule/contracts/panel";
import type { FetchedPlugin, InstalledPlugin, PluginEdit } from "@molecule/contracts/plugins";

/** A plugin to install (fetched and checked already) or to uninstall (null), not saved yet. */
export interface PluginDraft {
  /** What was installed when it was staged; null: nothing of that name. */
  readonly base: Pick<InstalledPlugin, "version" | "sha256"> | null;
  readonly next: FetchedPlugin | null;
}

/** By the plugin's name. */
export type PluginDrafts = Readonly<Record<string, PluginDraft>>;

type Installed = readonly InstalledPlugin[];

/** One staged plugin as the bar and the review show it. */
export interface PluginChange {
  readonly name: string;
  readonly current: string;
  readonly mine: string;
  /** Somebody saved another version since it was staged. */
  readonly isConflict: boolean;
}

/** With a fetched plugin; one that is installed already as it is leaves no trace. */
export function stageInstall(
  drafts: PluginDrafts,
  installed: Installed,
  fetched: FetchedPlugin,
): PluginDrafts {
  const { name, sha256, source } = fetched.plugin;
  const before = installed.find((one) => one.name === name);
  if (before?.sha256 === sha256 && before.source === source) return undoPlugin(drafts, name);
  return { ...drafts, [name]: { base: baseOf(before), next: fetched } };
}

/** Without an installed plugin; one that is only staged is simply not staged any more. */
export function stageUninstall(
  drafts: PluginDrafts,
  installed: Installed,
  name: string,
): PluginDrafts {
  const before = installed.find((one) => one.name === name);
  if (before === undefined) return undoPlugin(drafts, name);
  return { ...drafts, [name]: { base: baseOf(before), next: null } };
}

/** As if nothing had been staged for it. */
export function undoPlugin(drafts: PluginDrafts, name: string): PluginDrafts {
  const { [name]: _gone, ...rest } = drafts;
  return rest;
}

/** Every staged plugin, by name; against what is saved now, where that is known. */
export function pluginChanges(
  drafts: PluginDrafts,
  document: ConfigDocument | undefined,
): PluginChange[] {
  return Object.entries(drafts)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { base, next }]) => {
      const now = document?.installedPlugins.find((one) => one.name === name) ?? null;
      return {
        name,
        current: (document === undefined ? base : now)?.version ?? "",
        mine: next === null ? "" : textOf(next.plugin),
        isConflict: document !== undefined && (now?.sha256 ?? null) !== (base?.sha256 ?? null),
      };
    });
}

/** What the one save carries of them. */
export function pluginEdits(drafts: PluginDrafts): PluginEdit[] {
  return Object.entries(drafts).map(([name, { base, next }]) => ({
    name,
    packageId: next?.packageId ?? null,
    baseSha256: base?.sha256 ?? null,
  }));
}

/** What is staged without what was sent; of one that was staged anew meanwhile the newer stays. */
export function withoutSent(drafts: PluginDrafts, sent: PluginDrafts): PluginDrafts {
  const isLeft = ([name, draft]: [string, PluginDraft]) =>
    sent[name] === undefined || sent[name].next?.packageId !== draft.next?.packageId;
  return Object.fromEntries(Object.entries(drafts).filter(isLeft));
}

/** The installed plugins once what was sent is saved, until they are read again. */
export function pluginsAfter(
  installed: ConfigDocument["installedPlugins"],
  sent: PluginDrafts,
): ConfigDocument["installedPlugins"] {
  const kept = installed.filter(({ name }) => sent[name] === undefined);
  const added = Object.values(sent).flatMap(({ next }) => {
    if (next === null) return [];
    const { plugin, isSupported, support } = next;
    const before = installed.find(({ name }) => name === plugin.name);
    const runningVersion = before?.runningVersion ?? null;
    return [{ ...plugin, isSupported, support, runningVersion, isRunning: false }];
  });
  return [...kept, ...added].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function baseOf(plugin: InstalledPlugin | undefined): PluginDraft["base"] {
  return plugin === undefined ? null : { version: plugin.version, sha256: plugin.sha256 };
}

function textOf({ version, source }: InstalledPlugin): string {
  return `${version} from ${source}`;
}
