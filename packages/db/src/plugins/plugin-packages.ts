import type { InstalledPlugin } from "@molecule/contracts/plugins";
import { eq, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { pluginPackageFiles, pluginPackages } from "../schema/plugins.ts";
import { storableJson, storableText } from "../storable.ts";

/** How long a fetched plugin waits for the save that installs it, in days. */
const PACKAGE_KEPT_DAYS = 7;

/** A fetched plugin with its files by path below its folder. */
export interface PluginPackage {
  readonly plugin: InstalledPlugin;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Keeps a fetched plugin for a week; the same content of the same source is kept once. Answers its id. */
export async function keepPackage(
  tx: Transaction,
  { plugin, files }: PluginPackage,
  fetchedBy: string,
): Promise<string> {
  const orm = ormOf(tx);
  const expiresAt = sql`cp_now() + make_interval(days => ${PACKAGE_KEPT_DAYS})`;
  const [row] = await orm
    .insert(pluginPackages)
    .values({
      source: plugin.source,
      sha256: plugin.sha256,
      plugin: storableJson(plugin) as InstalledPlugin,
      fetchedBy: storableText(fetchedBy),
      expiresAt,
    })
    .onConflictDoUpdate({
      target: [pluginPackages.source, pluginPackages.sha256],
      set: { expiresAt },
    })
    .returning({ id: pluginPackages.id });
  if (row === undefined) throw new Error("invariant: a package that is kept has an id");
  for (const [path, content] of files) {
    await orm
      .insert(pluginPackageFiles)
      .values({ packageId: row.id, path, content })
      .onConflictDoNothing();
  }
  return row.id;
}

/** A fetched plugin; null when its week is over, or there was none. */
export async function readPackage(q: Queryable, id: string): Promise<PluginPackage | null> {
  const orm = ormOf(q);
  const [row] = await orm
    .select({ plugin: pluginPackages.plugin })
    .from(pluginPackages)
    .where(sql`${pluginPackages.id} = ${id} AND ${pluginPackages.expiresAt} > cp_now()`);
  if (row === undefined) return null;
  const files = await orm
    .select({ path: pluginPackageFiles.path, content: pluginPackageFiles.content })
    .from(pluginPackageFiles)
    .where(eq(pluginPackageFiles.packageId, id));
  return { plugin: row.plugin, files: new Map(files.map(({ path, content }) => [path, content])) };
}

/** Removes fetched plugins whose week is over. Resolves with how many. */
export async function trimPackages(q: Queryable): Promise<number> {
  const rows = await ormOf(q)
    .delete(pluginPackages)
    .where(sql`${pluginPackages.expiresAt} <= cp_now()`)
    .returning({ id: pluginPackages.id });
  return rows.length;
}
