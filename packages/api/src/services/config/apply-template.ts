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
 * secrets, a model and provider that somebody chose, and files that the template does not have stay. A
 * template that it has already is no change.
 * @throws DomainError `bad_request` for a template of another runtime.
 */
export async function applyTemplate(
  deps: Deps,
  tx: Transaction,
  { workspaceId, actor, template, former }: TemplateUse,
): Promise<void> {
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
  const files = [...template.files].filter(
    ([path, content]) => hashes.get(path) !== fileSha256(content),
  );
  if (edited.names.length === 0 && files.length === 0) return;
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
}
