import type { FetchedPlugin, PluginEdit } from "@molecule/contracts/plugins";
import { keepPackage, type PluginPackage, readPackage } from "@molecule/db/plugins/plugin-packages";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import type { Actor } from "@molecule/domain/sets";
import type { Deps } from "../../deps.ts";
import { applyChanges, type ChangeReceipt } from "../config/apply-changes.ts";
import type { PluginWish } from "./plan-plugins.ts";
import type { PluginWanted } from "./plugin-sources.ts";
import { supportOf } from "./view-plugins.ts";

/**
 * Fetches and checks a plugin, and keeps it for the save that installs it. Nothing of the workspace
 * changes. @throws DomainError as `PluginSources.fetch`; `not_found`, `removed` for the workspace.
 */
export async function fetchPlugin(
  deps: Deps,
  actor: Actor,
  wish: PluginWanted & { readonly workspaceId: string; readonly signal: AbortSignal },
): Promise<FetchedPlugin> {
  const { runtime } = await readConfig(deps.db, wish.workspaceId);
  const content = await deps.plugins.fetch(wish, wish.signal);
  const packageId = await deps.db.transaction((tx) => keepPackage(tx, content, actor.name));
  return { packageId, plugin: content.plugin, ...supportOf(content.plugin, runtime) };
}

/** Fetches and installs in one go: one generation, unless it is there already. SPEC: PL8. */
export async function installPlugin(
  deps: Deps,
  actor: Actor,
  wish: PluginWanted & { readonly workspaceId: string; readonly signal: AbortSignal },
): Promise<{ readonly content: PluginPackage; readonly receipt: ChangeReceipt }> {
  const { workspaceId } = wish;
  await readConfig(deps.db, workspaceId);
  const content = await deps.plugins.fetch(wish, wish.signal);
  const plugins = [{ name: content.plugin.name, content }];
  const receipt = await deps.db.transaction((tx) =>
    applyChanges(deps, tx, { workspaceId, actor, isBatch: false, plugins }),
  );
  return { content, receipt };
}

/** @throws DomainError `not_found` when it is not installed. */
export async function uninstallPlugin(
  deps: Deps,
  actor: Actor,
  { workspaceId, name }: { readonly workspaceId: string; readonly name: string },
): Promise<ChangeReceipt> {
  const plugins = [{ name, content: null }];
  return await deps.db.transaction((tx) =>
    applyChanges(deps, tx, { workspaceId, actor, isBatch: false, plugins }),
  );
}

/** What the saves of one request install, by the id they name it with; each is read once. */
export async function readPackages(
  deps: Deps,
  saves: readonly { readonly plugins?: readonly PluginEdit[] | undefined }[],
): Promise<ReadonlyMap<string, PluginPackage>> {
  const ids = saves.flatMap(({ plugins = [] }) => plugins.flatMap((edit) => edit.packageId ?? []));
  const found = new Map<string, PluginPackage>();
  for (const id of new Set(ids)) {
    const kept = await readPackage(deps.db, id);
    if (kept === null) continue;
    // What the organisation allows may have changed since it was fetched.
    deps.plugins.check(kept.plugin.source);
    found.set(id, kept);
  }
  return found;
}

/** One plugin of a save. @throws DomainError `not_found`, `bad_request`. */
export function wishOf(
  { name, packageId, baseSha256 }: PluginEdit,
  packages: ReadonlyMap<string, PluginPackage>,
): PluginWish {
  if (packageId === null) return { name, content: null, baseSha256 };
  const content = packages.get(packageId);
  if (content === undefined) {
    throw new DomainError("not_found", `The plugin “${name}” was fetched more than a week ago.`, {
      next: "Undo it and fetch it again.",
      details: { plugin: name },
    });
  }
  if (content.plugin.name !== name) {
    throw new DomainError("bad_request", "That is the content of another plugin.");
  }
  return { name, content, baseSha256 };
}
