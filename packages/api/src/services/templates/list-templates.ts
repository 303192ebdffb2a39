import type { TemplateView } from "@molecule/contracts/workspaces";
import { type TemplateHead, viewTemplate } from "@molecule/templates/template";
import { type OfferRow, offerRow } from "@molecule/templates/template-offer";
import type { Deps } from "../../deps.ts";
import { loadCatalogue } from "./template-catalogue.ts";

/** Every template, broken ones with their cause. */
export async function listTemplates(deps: Deps): Promise<TemplateView[]> {
  const all = await loadCatalogue(deps);
  return all.map((loaded) => ({ ...viewTemplate(loaded), isImported: loaded.isImported }));
}

/** One row of `GET /templates`. Source: wire contract §11.1. */
export interface TemplateRow extends OfferRow {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tier: number;
  readonly runtime: string;
  readonly model: string;
  readonly required_env?: readonly string[];
  readonly skills: readonly unknown[];
  readonly skill_count: number;
  readonly provision_timeout_seconds?: number;
}

/** The templates as scripts see them; broken ones are left out and logged. */
export async function listTemplateRows(deps: Deps): Promise<TemplateRow[]> {
  return (await loadCatalogue(deps)).flatMap((entry) => {
    if (entry.kind === "template") return [rowOf(entry.template)];
    deps.log.warn({ folder: entry.id, cause: entry.cause }, "a template is not usable");
    return [];
  });
}

function rowOf(template: TemplateHead): TemplateRow {
  const { id, name, tier, runtime, config, provisionTimeoutSeconds } = template;
  const skills = Array.isArray(config.extra.skills) ? config.extra.skills : [];
  return {
    id,
    name,
    description: config.description,
    tier,
    runtime,
    model: config.model ?? "",
    ...(config.requiredEnv.length === 0 ? {} : { required_env: config.requiredEnv }),
    ...offerRow(config.extra),
    skills,
    skill_count: skills.length,
    ...(provisionTimeoutSeconds === undefined
      ? {}
      : { provision_timeout_seconds: provisionTimeoutSeconds }),
  };
}
