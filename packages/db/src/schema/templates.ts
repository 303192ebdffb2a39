import { sql } from "drizzle-orm";
import { check, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { bytea, instant, now } from "./columns.ts";

/** A workspace template that somebody brought, beside those of the operator's folder. */
export const importedTemplates = pgTable(
  "imported_templates",
  {
    id: text("id").primaryKey(),
    importedBy: text("imported_by").notNull(),
    importedAt: instant("imported_at").notNull().default(now),
  },
  (t) => [check("imported_template_id", sql`${t.id} ~ '^[a-z0-9][a-z0-9-]{0,99}$'`)],
);

/** Its files, by path relative to its folder. */
export const importedTemplateFiles = pgTable(
  "imported_template_files",
  {
    templateId: text("template_id")
      .notNull()
      .references(() => importedTemplates.id, { onDelete: "cascade" }),
    path: text("path").notNull(),
    content: bytea("content").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.templateId, t.path] }),
    check("imported_template_file_size", sql`octet_length(${t.content}) <= 1048576`),
  ],
);
