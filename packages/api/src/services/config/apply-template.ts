import { recordWrite } from "@molecule/db/changes/record-write";
import type { Transaction } from "@molecule/db/database";
import {
  checkFileCount,
  fileSha256,
  listManagedFiles,
  writeManagedFile,
} from "@molecule/db/files/managed-files";
import { importSchedules } from "@molecule/db/schedules/import-schedules";
import { lockConfig, writeConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import { choiceAfterTemplate, type ModelChoice } from "@molecule/domain/model-provider";
import type { Actor } from "@molecule/domain/sets";
import type { Template } from "@molecule/templates/template";
import type { Deps } from "../../deps.ts";
import { isOfPlugin } from "../plugins/plan-plugins.ts";
import { editDocument } from "./edit-document.ts";

/** A template for a workspace that exists. */
export interface TemplateUse {
  readonly workspaceId: string;
  readonly actor: Actor;
  readonly template: Template;
  /** Model and provider of the template it has now; null where nobody knows them. */
  readonly former: ModelChoice | null;
}

/**
 * Gives a workspace the settings, files and schedules of a template as one change. Name, role, tier,
 * secrets, a model and provider that somebody chose, and files that the template does not have stay; so
 * does the folder of an installed plugin, of which the template's files are left out. A template that it
 * has already is no change. Resolves with what was left out. SPEC: PL8.
 * @throws DomainError `bad_request` for a template of another runtime.
 */
export async function applyTemplate(
  deps: Deps,
  tx: Transaction,
  { workspaceId, actor, template, former }: TemplateUse,
): Promise<readonly string[]> {
  const before = await lockConfig(tx, workspaceId);
  if (template.runtime !== before.runtime) {
    throw new DomainError(
      "bad_request",
      `The template “${template.id}” is for the runtime ${template.runtime}, and this agent runs ${before.runtime}.`,
      { next: "Choose a template of its runtime.", details: { field: "template" } },
    );
  }
  const choice = choiceAfterTemplate(before.config, { from: former, to: template.config });
  const { model, provider } = choice;
  const edited = editDocument(before, [{ ...template.config, model, provider }]);
  const stored = await listManagedFiles(tx, workspaceId);
  const hashes = new Map(stored.map((file) => [file.path, file.sha256]));
  // The folder itself counts: a file of its name would take its place.
  const isPlugins = (path: string) => isOfPlugin(before.config, `${path}/`);
  const left = [...template.files.keys()].filter(isPlugins);
  const files = [...template.files].filter(
    ([path, content]) => !isPlugins(path) && hashes.get(path) !== fileSha256(content),
  );
  if (edited.names.length === 0 && files.length === 0) return left;
  const { generation } = await recordWrite(tx, {
    workspaceId,
    actor,
    stream: "settings",
    isBatch: true,
    changes: [
      { kind: "template", name: template.id },
      ...edited.names.map((name) => ({ kind: "setting" as const, name })),
      ...files.map(([path]) => ({ kind: "file" as const, name: path })),
    ],
    settings: deps.platform.settle,
  });
  await writeConfig(tx, workspaceId, { config: edited.config, template: template.id });
  for (const [path, content] of files) {
    await writeManagedFile(tx, { workspaceId, path, content, generation, actorName: actor.name });
  }
  await checkFileCount(tx, workspaceId);
  await importSchedules(tx, workspaceId, template.schedules);
  return left;
}
