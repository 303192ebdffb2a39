import type { ConfigDocument } from "@molecule/contracts/panel";
import { changesBetween } from "@molecule/db/lifecycle/merged-changes";
import {
  type ConfigRow,
  readConfig,
  readEffectiveConfig,
} from "@molecule/db/workspaces/config-rows";
import { isDomainError } from "@molecule/domain/errors";
import { offeredModels } from "@molecule/templates/config-yaml";
import { loadTemplate } from "@molecule/templates/load-templates";
import type { Deps } from "../../deps.ts";

/** The configuration as it is wanted, as it runs, and what lies between. @throws `not_found`, `removed`. */
export async function readDocument(deps: Deps, workspaceId: string): Promise<ConfigDocument> {
  const row = await readConfig(deps.db, workspaceId);
  const [effective, pending, models] = await Promise.all([
    readEffectiveConfig(deps.db, workspaceId),
    changesBetween(deps.db, workspaceId, { after: row.appliedGen, upTo: row.desiredGen }),
    modelsFor(deps, row),
  ]);
  const { model, provider, instructions, description } = row.config;
  return {
    version: row.configVersion,
    desired: {
      model,
      provider,
      instructions,
      description,
      tier: row.tier,
      applyPolicy: row.applyPolicy,
      sleepAfterMinutes: row.hibernationIdleMinutes,
    },
    effective:
      effective === null
        ? null
        : {
            model: effective.model,
            provider: effective.provider,
            instructions: effective.instructions,
          },
    models,
    pending: pending.merged.map((change) => ({
      ...change,
      names: [...change.names],
      actors: [...change.actors],
    })),
  };
}

/** The models the document names, else those of its template. */
async function modelsFor(deps: Deps, row: ConfigRow) {
  const own = offeredModels(row.config.extra);
  if (own.length > 0 || row.template === null) return own;
  try {
    const template = await loadTemplate(deps.templatesDir, row.template);
    return offeredModels(template.config.extra);
  } catch (error) {
    // The template is gone or broken: the field then takes any name.
    if (isDomainError(error)) return [];
    throw error;
  }
}
