import { DomainError } from "@molecule/domain/errors";
import { and, asc, eq, inArray, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { importedTemplateFiles, importedTemplates } from "../schema/templates.ts";
import { storableText } from "../storable.ts";

/** Most templates that are kept. */
const MAX_IMPORTED = 200;
/** Serialises whoever imports one, so that their number is what was counted. */
const IMPORT_LOCK = 706_064;

/** An imported template, or a part of its files by path. */
export interface ImportedTemplate {
  readonly id: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Every imported template by name, each with those of the named files that it has. */
export async function listImportedTemplates(
  q: Queryable,
  paths: readonly string[],
): Promise<ImportedTemplate[]> {
  const rows = await ormOf(q)
    .select({
      id: importedTemplates.id,
      path: importedTemplateFiles.path,
      content: importedTemplateFiles.content,
    })
    .from(importedTemplates)
    .leftJoin(
      importedTemplateFiles,
      and(
        eq(importedTemplateFiles.templateId, importedTemplates.id),
        inArray(importedTemplateFiles.path, [...paths]),
      ),
    )
    .orderBy(asc(importedTemplates.id));
  const found = new Map<string, Map<string, Uint8Array>>();
  for (const { id, path, content } of rows) {
    const files = found.get(id) ?? new Map<string, Uint8Array>();
    found.set(id, files);
    if (path !== null && content !== null) files.set(path, content);
  }
  return [...found].map(([id, files]) => ({ id, files }));
}

/** All files of one; null when there is none of that name. */
export async function readImportedTemplate(
  q: Queryable,
  id: string,
): Promise<ImportedTemplate | null> {
  const rows = await ormOf(q)
    .select({ path: importedTemplateFiles.path, content: importedTemplateFiles.content })
    .from(importedTemplateFiles)
    .where(eq(importedTemplateFiles.templateId, id))
    .orderBy(asc(importedTemplateFiles.path));
  if (rows.length === 0) return null;
  return { id, files: new Map(rows.map(({ path, content }) => [path, content])) };
}

/**
 * Keeps a template; false when there is one of that name already, which stays as it is.
 * @throws DomainError `rate_limited` for one too many.
 */
export async function insertImportedTemplate(
  tx: Transaction,
  template: ImportedTemplate & { readonly importedBy: string },
): Promise<boolean> {
  const orm = ormOf(tx);
  await orm.execute(sql`SELECT pg_advisory_xact_lock(${IMPORT_LOCK})`);
  if ((await orm.$count(importedTemplates)) >= MAX_IMPORTED) {
    throw new DomainError("rate_limited", `There are ${MAX_IMPORTED} imported templates at most.`, {
      next: "Remove one that is no longer needed.",
    });
  }
  const { id, files } = template;
  const made = await orm
    .insert(importedTemplates)
    .values({ id, importedBy: storableText(template.importedBy) })
    .onConflictDoNothing()
    .returning({ id: importedTemplates.id });
  if (made.length === 0) return false;
  for (const [path, content] of files) {
    await orm.insert(importedTemplateFiles).values({ templateId: id, path, content });
  }
  return true;
}

/** Forgets an imported template; false when there was none. What was made from it stays. */
export async function deleteImportedTemplate(q: Queryable, id: string): Promise<boolean> {
  const gone = await ormOf(q)
    .delete(importedTemplates)
    .where(eq(importedTemplates.id, id))
    .returning({ id: importedTemplates.id });
  return gone.length > 0;
}
