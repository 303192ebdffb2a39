import type { InstalledPlugin } from "@molecule/contracts/plugins";
import { sql } from "drizzle-orm";
import {
  check,
  index,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { bytea, instant, now } from "./columns.ts";

/**
 * Plugins that were fetched and checked, and wait for the save that installs them. In the database, so
 * that every server has them; what is installed is in the managed files of its workspace.
 */
export const pluginPackages = pgTable(
  "plugin_packages",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    source: text("source").notNull(),
    sha256: text("sha256").notNull(),
    plugin: jsonb("plugin").$type<InstalledPlugin>().notNull(),
    fetchedBy: text("fetched_by").notNull(),
    createdAt: instant("created_at").notNull().default(now),
    expiresAt: instant("expires_at").notNull(),
  },
  (t) => [
    uniqueIndex("plugin_package_content").on(t.source, t.sha256),
    index("plugin_packages_expiry").on(t.expiresAt),
  ],
);

/** Their files, by path below the plugin's folder. */
export const pluginPackageFiles = pgTable(
  "plugin_package_files",
  {
    packageId: uuid("package_id")
      .notNull()
      .references(() => pluginPackages.id, { onDelete: "cascade" }),
    path: text("path").notNull(),
    content: bytea("content").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.packageId, t.path] }),
    check("plugin_package_file_size", sql`octet_length(${t.content}) <= 1048576`),
  ],
);
