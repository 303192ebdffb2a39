import type { restartResult, restartWorkspaceInput } from "@molecule/contracts/procedures";
import type { RestartBody } from "@molecule/contracts/wire";
import type { Transaction } from "@molecule/db/database";
import { lackingKeys } from "@molecule/db/lifecycle/lacking-keys";
import {
  orRefused,
  type RestartAnswer,
  requestRestart,
} from "@molecule/db/lifecycle/request-restart";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { pluginOfPath } from "@molecule/domain/plugins";
import type { Actor } from "@molecule/domain/sets";
import type { z } from "zod";
import type { Deps } from "../../deps.ts";
import { applyTemplate, type TemplateUse } from "../config/apply-template.ts";
import { loadCatalogue, requireTemplate } from "../templates/template-catalogue.ts";

/** Restarts for a click on the canvas; the same click twice is one. */
export async function restartFromCanvas(
  deps: Deps,
  actor: Actor,
  input: z.infer<typeof restartWorkspaceInput>,
): Promise<z.infer<typeof restartResult>> {
  const { id, clickId } = input;
  const { attempt, message } = orRefused(
    await deps.db.transaction((tx) =>
      requestRestart(tx, {
        workspaceId: id,
        actor,
        clickId,
        lacks: (own, row) => lackingKeys(own, deps.cipher, row),
      }),
    ),
  );
  return { attempt, message };
}

/** A script's restart. Source: wire contract §4.1. */
export interface RestartWish {
  readonly id: string;
  /** The caller's Idempotency-Key; null: a click of its own. */
  readonly clickId: string | null;
  readonly body: RestartBody;
}

/** What was done, and where the configuration comes from. */
export interface RestartDone extends RestartAnswer {
  /** The template's name, or `existing-volume`. */
  readonly configDir: string;
  readonly isReset: boolean;
  /** Files of the template that were not written, because they would be in a plugin's folder. */
  readonly leftOut: readonly string[];
}

/**
 * Restarts for a script, with what it asked for, in one transaction.
 * @throws DomainError as `requestRestart` and its refusals; `bad_request` for a template that is none or of another
 * runtime. Nothing is changed then.
 */
export async function restartWorkspace(
  deps: Deps,
  actor: Actor,
  { id, clickId, body }: RestartWish,
): Promise<RestartDone> {
  const template = await templateOf(deps, id, body);
  const isReset = body.reset === true;
  let leftOut: readonly string[] = [];
  const apply = async (own: Transaction, use: Pick<TemplateUse, "template" | "former">) => {
    leftOut = await applyTemplate(deps, own, { workspaceId: id, actor, ...use });
  };
  const asked = await deps.db.transaction((tx) =>
    requestRestart(tx, {
      workspaceId: id,
      actor,
      ...(clickId === null ? {} : { clickId }),
      isReset,
      isRebuilt: body.rebuild_config === true,
      ...(template === null
        ? { lacks: (own, row) => lackingKeys(own, deps.cipher, row) }
        : { change: (own) => apply(own, template) }),
    }),
  );
  const answer = orRefused(asked);
  const isOurs = answer.kind !== "external";
  const names = [...new Set(leftOut.map((path) => pluginOfPath(`${path}/`)))];
  const told =
    leftOut.length === 0
      ? answer.message
      : `${answer.message} ${leftOut.length} of the template's files would be in the folder of ${names.join(", ")}, which belongs to the plugin, and were left out.`;
  return {
    ...answer,
    message: told,
    leftOut,
    configDir: isOurs ? (template?.template.id ?? "existing-volume") : "existing-volume",
    isReset: isReset && isOurs,
  };
}

/**
 * The named one; else by name of the workspace, the one it was made from, the runtime's default. With it
 * what the template says that the workspace has now.
 */
async function templateOf(
  deps: Deps,
  id: string,
  body: RestartBody,
): Promise<Pick<TemplateUse, "template" | "former"> | null> {
  const named = body.template ?? "";
  if (named === "" && body.apply_template !== true) return null;
  const row = await readConfig(deps.db, id);
  const all = await loadCatalogue(deps);
  const heads = all.flatMap((one) => (one.kind === "template" ? [one.template] : []));
  const own = heads.find((one) =>
    row.template === null ? one.runtime === row.runtime : one.id === row.template,
  );
  const former = own?.config ?? null;
  if (named !== "") return { template: await requireTemplate(deps, named), former };
  for (const name of [slugOf(row.name), row.template, `${row.runtime}-default`]) {
    const found = heads.find((head) => head.id === name);
    if (found?.runtime !== row.runtime) continue;
    return { template: await requireTemplate(deps, found.id), former };
  }
  return null;
}

function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
