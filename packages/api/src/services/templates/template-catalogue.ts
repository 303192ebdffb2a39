import {
  listImportedTemplates,
  readImportedTemplate,
} from "@molecule/db/templates/imported-templates";
import { DomainError, isDomainError } from "@molecule/domain/errors";
import { findTemplate, loadTemplates } from "@molecule/templates/load-templates";
import { CONFIG_FILE, PROMPT_FILE } from "@molecule/templates/render-config";
import {
  type LoadedTemplate,
  orBroken,
  readTemplate,
  type Template,
} from "@molecule/templates/template";
import type { Deps } from "../../deps.ts";

/** A template, and whether it was imported, which is what can be removed. */
export type CatalogueEntry = LoadedTemplate & { readonly isImported: boolean };

/**
 * Every template there is now, by name: those of the operator's folder, which is read anew each time,
 * and the imported ones. Where both have a name, the folder's counts.
 */
export async function loadCatalogue(deps: Deps): Promise<CatalogueEntry[]> {
  const [shipped, imported] = await Promise.all([
    loadTemplates(deps.templatesDir),
    listImportedTemplates(deps.db, [CONFIG_FILE, PROMPT_FILE]),
  ]);
  const taken = new Set(shipped.map(idOf));
  const added = imported
    .filter(({ id }) => !taken.has(id))
    .map(({ id, files }) => orBroken(id, () => readTemplate(id, files)));
  const all = [
    ...shipped.map((one) => ({ ...one, isImported: false })),
    ...added.map((one) => ({ ...one, isImported: true })),
  ];
  return all.sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
}

/** The name of a template, broken or not. */
export function idOf(loaded: LoadedTemplate): string {
  return loaded.kind === "template" ? loaded.template.id : loaded.id;
}

/** The template called `id` with its files. @throws DomainError `bad_request` with the known names. */
export async function requireTemplate(deps: Deps, id: string): Promise<Template> {
  const found = await findTemplate(deps.templatesDir, id);
  if (found !== null) return found;
  const imported = await readImportedTemplate(deps.db, id);
  if (imported === null) {
    throw await unknownTemplate(deps, `There is no template called “${id}”.`);
  }
  try {
    return readTemplate(id, imported.files);
  } catch (error) {
    if (!isDomainError(error)) throw error;
    throw await unknownTemplate(deps, `The template “${id}” cannot be used: ${error.message}`);
  }
}

async function unknownTemplate(deps: Deps, sentence: string): Promise<DomainError> {
  const loaded = await loadCatalogue(deps);
  const names = loaded.filter(({ kind }) => kind === "template").map(idOf);
  return new DomainError("bad_request", sentence, {
    next: `Use one of: ${names.join(", ")}.`,
    details: { field: "template", known_templates: names },
  });
}
