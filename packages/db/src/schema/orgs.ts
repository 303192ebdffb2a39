import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import { instant, now } from "./columns.ts";
import { actorKind, orgImportState, orgNodeOutcome } from "./enums.ts";
import { workspaces } from "./workspaces.ts";

/** An import of a team, kept as what became of it. */
export const orgImports = pgTable(
  "org_imports",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    org: text("org").notNull(),
    state: orgImportState("state").notNull().default("making"),
    /** Everything is made at rest. */
    staged: boolean("staged").notNull().default(false),
    actorKind: actorKind("actor_kind").notNull(),
    actorId: text("actor_id"),
    actorName: text("actor_name").notNull(),
    createdAt: instant("created_at").notNull().default(now),
    /** When whoever makes it was last heard of. */
    beatAt: instant("beat_at").notNull().default(now),
    /** Since when it is known that whoever made it ended in the middle. */
    brokenOffAt: instant("broken_off_at"),
    endedAt: instant("ended_at"),
  },
  (t) => [
    index("org_imports_open").on(t.createdAt).where(sql`${t.endedAt} IS NULL`),
    check(
      "org_import_ended",
      sql`(${t.state} IN ('done', 'stopped')) = (${t.endedAt} IS NOT NULL)`,
    ),
  ],
);

/** What became of one agent of it. */
export const orgImportNodes = pgTable(
  "org_import_nodes",
  {
    importId: uuid("import_id")
      .notNull()
      .references(() => orgImports.id, { onDelete: "cascade" }),
    /** In the order of making: parents before children. */
    position: integer("position").notNull(),
    parent: integer("parent"),
    level: integer("level").notNull(),
    name: text("name").notNull(),
    path: text("path").notNull(),
    outcome: orgNodeOutcome("outcome").notNull(),
    /** Why, as a person reads it. */
    note: text("note"),
    workspaceId: uuid("workspace_id").references(() => workspaces.id, { onDelete: "cascade" }),
    /** When its turn to start came; absent: it waits for others, rests, or never starts. */
    releasedAt: instant("released_at"),
  },
  (t) => [
    primaryKey({ columns: [t.importId, t.position] }),
    index("org_import_nodes_workspace").on(t.workspaceId),
  ],
);
