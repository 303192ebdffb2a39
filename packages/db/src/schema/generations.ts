import { integer, jsonb, pgTable, primaryKey, smallint, text, uuid } from "drizzle-orm/pg-core";
import { bytea, counter, instant, now } from "./columns.ts";
import { actorKind, runtime } from "./enums.ts";
import type { SecretMark, WorkspaceConfig } from "./payloads.ts";
import { workspaces } from "./workspaces.ts";

const workspaceId = () =>
  uuid("workspace_id")
    .notNull()
    .references(() => workspaces.id, { onDelete: "cascade" });

/**
 * The desired state of a workspace as it was, one row per generation. Triggers write it, and the two
 * kinds of versions below, so that no writer can forget to. SPEC: CF4.
 */
export const generations = pgTable(
  "generations",
  {
    workspaceId: workspaceId(),
    gen: counter("gen").notNull(),
    at: instant("at").notNull().default(now),
    actorKind: actorKind("actor_kind").notNull(),
    actorName: text("actor_name").notNull(),
    configVersion: counter("config_version").notNull(),
    role: text("role"),
    tier: integer("tier").notNull(),
    runtime: runtime("runtime").notNull(),
    template: text("template"),
    config: jsonb("config").$type<WorkspaceConfig>().notNull(),
    /** Hash of each managed file by its path. */
    files: jsonb("files").$type<Record<string, string>>().notNull(),
    /** The secrets it had, by key; never a value. */
    secrets: jsonb("secrets").$type<SecretMark[]>().notNull(),
    /** The generation whose content this one took back; absent for every other change. */
    rolledBackTo: counter("rolled_back_to"),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.gen] })],
);

/** What managed files held before, by content; what they hold now is in their own rows. */
export const managedFileVersions = pgTable(
  "managed_file_versions",
  {
    workspaceId: workspaceId(),
    sha256: text("sha256").notNull(),
    content: bytea("content").notNull(),
    /** The last generation in which a file held it. */
    untilGen: counter("until_gen").notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.sha256] })],
);

const versionColumns = {
  key: text("key").notNull(),
  version: integer("version").notNull(),
  record: bytea("record").notNull(),
  encryptionVersion: smallint("encryption_version").notNull(),
  createdAt: instant("created_at").notNull().default(now),
};
/** The last ten records of each secret of a workspace, the present one among them; also of removed ones. */
export const workspaceSecretVersions = pgTable(
  "workspace_secret_versions",
  { workspaceId: workspaceId(), ...versionColumns },
  (t) => [primaryKey({ columns: [t.workspaceId, t.key, t.version] })],
);
/** The same of the organisation's secrets. */
export const globalSecretVersions = pgTable("global_secret_versions", versionColumns, (t) => [
  primaryKey({ columns: [t.key, t.version] }),
]);
