import {
  deleteImportedTemplate,
  insertImportedTemplate,
} from "@molecule/db/templates/imported-templates";
import { DomainError } from "@molecule/domain/errors";
import type { Actor } from "@molecule/domain/sets";
import type { CollectedFiles } from "@molecule/templates/archive/collect-files";
import { isTemplateId, readTemplate } from "@molecule/templates/template";
import type { Deps } from "../../deps.ts";
import { idOf, loadCatalogue } from "./template-catalogue.ts";

/** A template on its way in. */
export interface TemplateImport {
  /** What a person calls it; null: as its `config.yaml` says. */
  readonly name: string | null;
  readonly collected: CollectedFiles;
}

/** What was kept. */
export interface ImportedAs {
  readonly id: string;
  readonly name: string;
  /** Files of it, the two views included. */
  readonly fileCount: number;
  /** Paths that were not taken: those with a part that begins with a dot. */
  readonly left: readonly string[];
}

/**
 * Keeps a template that works; one that does not is refused with the cause, and nothing is kept.
 * @throws DomainError `bad_request`, `conflict` (the name is taken), `rate_limited`.
 */
export async function importTemplate(
  deps: Deps,
  actor: Actor,
  { name, collected }: TemplateImport,
): Promise<ImportedAs> {
  const { files, left } = collected;
  const template = readTemplate(PLACEHOLDER, files);
  const called = name ?? (template.name === PLACEHOLDER ? null : template.name);
  const id = templateIdOf(called ?? "");
  if (id === null) {
    throw new DomainError("bad_request", "Give the template a name of letters and digits.", {
      details: { field: "name" },
    });
  }
  const isTaken = (await loadCatalogue(deps)).some((loaded) => idOf(loaded) === id);
  const isKept =
    !isTaken &&
    (await deps.db.transaction((tx) =>
      insertImportedTemplate(tx, { id, files, importedBy: actor.name }),
    ));
  if (!isKept) {
    throw new DomainError("conflict", `There is already a template called “${id}”.`, {
      next: "Import it under another name, or remove the one that is there.",
      details: { id },
    });
  }
  deps.log.info({ template: id, files: files.size, by: actor.kind }, "a template was imported");
  return { id, name: called ?? id, fileCount: files.size, left };
}

/** Stands for the name of a template until it has one; no name of a folder. */
const PLACEHOLDER = "(unnamed)";

/**
 * Removes an imported template. What was made from it stays as it is.
 * @throws DomainError `not_found`, `conflict` for one of the operator's folder.
 */
export async function removeTemplate(deps: Deps, actor: Actor, id: string): Promise<void> {
  if (isTemplateId(id) && (await deleteImportedTemplate(deps.db, id))) {
    deps.log.info({ template: id, by: actor.kind }, "an imported template was removed");
    return;
  }
  if ((await loadCatalogue(deps)).some((loaded) => idOf(loaded) === id)) {
    throw new DomainError("conflict", `The template “${id}” was not imported.`, {
      next: "Remove its folder where the platform runs.",
      details: { id },
    });
  }
  throw new DomainError("not_found", `There is no template called “${id}”.`);
}

/** Lower case, spaces and underscores as “-”; null where nothing usable is left. Source: §11.1. */
export function templateIdOf(name: string): string | null {
  const id = name
    .trim()
    .toLowerCase()
    .replace(/[\s_]+/g, "-");
  return isTemplateId(id) ? id : null;
}
