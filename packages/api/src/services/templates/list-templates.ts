import type { TemplateView } from "@molecule/contracts/workspaces";
import {
  type LoadedTemplate,
  loadTemplates,
  viewTemplate,
} from "@molecule/templates/load-templates";
import type { Deps } from "../../deps.ts";

/** Every template, broken ones with their cause. */
export async function listTemplates(deps: Deps): Promise<TemplateView[]> {
  return (await loadTemplates(deps.templatesDir)).map(viewTemplate);
}

/** One row of `GET /templates`. Source: wire contract §11.1. */
export interface TemplateRow {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tier: number;
  readonly runtime: string;
  readonly model: string;
  readonly models?: unknown;
  readonly required_env?: readonly string[];
  readonly providers?: unknown;
  readonly provider_registry?: unknown;
  readonly skills: unknown;
  readonly skill_count: number;
  readonly provision_timeout_seconds?: number;
}

/** The templates as scripts see them; broken ones are left out and logged. */
export async function listTemplateRows(deps: Deps): Promise<TemplateRow[]> {
  const loaded = await loadTemplates(deps.templatesDir);
  return loaded.flatMap((entry) => {
    if (entry.kind === "template") return [rowOf(entry)];
    deps.log.warn({ folder: entry.id, cause: entry.cause }, "a template is not usable");
    return [];
  });
}

function rowOf({ template }: Extract<LoadedTemplate, { kind: "template" }>): TemplateRow {
  const { id, name, tier, runtime, config, provisionTimeoutSeconds } = template;
  const { extra } = config;
  const inner = isRecord(extra.runtime_config) ? extra.runtime_config : {};
  const skills = Array.isArray(extra.skills) ? extra.skills : null;
  return {
    id,
    name,
    description: config.description,
    tier,
    runtime,
    model: config.model ?? "",
    ...(Array.isArray(inner.models) ? { models: inner.models } : {}),
    ...(config.requiredEnv.length === 0 ? {} : { required_env: config.requiredEnv }),
    ...(Array.isArray(inner.providers) ? { providers: inner.providers } : {}),
    ...(Array.isArray(extra.providers) ? { provider_registry: extra.providers } : {}),
    skills,
    skill_count: skills?.length ?? 0,
    ...(provisionTimeoutSeconds === undefined
      ? {}
      : { provision_timeout_seconds: provisionTimeoutSeconds }),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
