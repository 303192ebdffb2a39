import { bigint, index, integer, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { bytea, instant, now } from "./columns.ts";
import { workspaces } from "./workspaces.ts";

/**
 * Files of a chat that the platform keeps because nobody can be dialled to take them. In the database, so
 * that every server has them. Its chunks come before it is whole, each in a transaction of its own: one
 * that is open as long as somebody uploads would hold the event log back.
 */
export const keptFiles = pgTable(
  "kept_files",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    workspaceId: uuid("workspace_id")
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    mimeType: text("mime_type").notNull(),
    /** Bytes so far. */
    size: bigint("size", { mode: "number" }).notNull().default(0),
    createdAt: instant("created_at").notNull().default(now),
    /** Absent: its upload has not ended. Nobody sees it before. */
    keptAt: instant("kept_at"),
    expiresAt: instant("expires_at").notNull(),
  },
  (t) => [
    index("kept_files_workspace").on(t.workspaceId),
    index("kept_files_expiry").on(t.expiresAt),
  ],
);

/** The bytes of a kept file, in order from 0; all chunks but the last have the same size. */
export const keptFileChunks = pgTable(
  "kept_file_chunks",
  {
    fileId: uuid("file_id")
      .notNull()
      .references(() => keptFiles.id, { onDelete: "cascade" }),
    no: integer("no").notNull(),
    bytes: bytea("bytes").notNull(),
  },
  (t) => [primaryKey({ columns: [t.fileId, t.no] })],
);
