import type { ConfigDocument } from "@molecule/contracts/panel";
import type { WorkspaceConfig } from "@molecule/contracts/workspaces";
import { readGeneration } from "@molecule/db/generations/generations";
import { changesBetween } from "@molecule/db/lifecycle/merged-changes";
import { readCapabilities } from "@molecule/db/registry/capabilities";
import { listSchedules } from "@molecule/db/schedules/schedule-rows";
import {
  type ConfigRow,
  readConfig,
  readEffectiveConfig,
} from "@molecule/db/workspaces/config-rows";
import { type ConfigSource, sourceOf } from "@molecule/domain/config-source";
import { isDomainError } from "@molecule/domain/errors";
import { offeredModels } from "@molecule/templates/config-yaml";
import { type Template, viewProviders } from "@molecule/templates/template";
import type { Deps } from "../../deps.ts";
import { installedPlugins } from "../plugins/plan-plugins.ts";
import { viewPlugins } from "../plugins/view-plugins.ts";
import { requireTemplate } from "../templates/template-catalogue.ts";
import { partsOf } from "./read-parts.ts";

/**
 * The configuration as it is wanted, as it runs, and what lies between. What it is made of is read side
 * by side, and a part that fails is empty and named in `failed`. SPEC: CF1.
 * @throws DomainError `not_found`, `removed`.
 */
export async function readDocument(deps: Deps, workspaceId: string): Promise<ConfigDocument> {
  const row = await readConfig(deps.db, workspaceId);
  const { states, read } = partsOf(deps, workspaceId);
  const [effective, pending, template, reported, schedules] = await Promise.all([
    read("effective", () => effectiveOf(deps, row), null),
    read("pending", () => pendingOf(deps, row), []),
    read("template", () => templateOf(deps, row), null),
    read("capabilities", () => readCapabilities(deps.db, workspaceId), {}),
    read("schedules", () => schedulesOf(deps, workspaceId), NO_SCHEDULES),
  ]);
  const { model, provider, instructions, description, extra } = row.config;
  const isOurs = row.backend !== "external";
  return {
    version: row.configVersion,
    generation: row.desiredGen,
    runtime: row.runtime,
    backend: row.backend,
    template: row.template,
    desired: {
      model,
      provider,
      instructions,
      description,
      tier: row.tier,
      applyPolicy: row.applyPolicy,
      sleepAfterMinutes: row.hibernationIdleMinutes,
    },
    effective,
    sources: sourcesOf(row, template),
    skills: namesIn(extra, "skills"),
    plugins: pluginNames(row.config),
    ...viewPlugins(row, effective?.installedPlugins ?? []),
    resources: {
      tier: row.tier,
      maxConcurrentTasks: row.maxConcurrentTasks,
      budgetLimit: row.budgetLimit,
    },
    capabilities: { restart: isOurs, liveFiles: isOurs, sleep: isOurs, reported },
    schedules,
    models: modelsOf(row, template),
    providers: providersOf(row, template),
    pending,
    failed: Object.fromEntries(
      Object.entries(states).flatMap(([name, state]) => (state.ok ? [] : [[name, state.error]])),
    ),
  };
}

/** What the running agent was started with; null before the first start. */
async function effectiveOf(deps: Deps, row: ConfigRow): Promise<ConfigDocument["effective"]> {
  const effective = await readEffectiveConfig(deps.db, row.id);
  if (effective === null) return null;
  const { config } = effective;
  const running = await readGeneration(deps.db, row.id, effective.generation);
  return {
    generation: running?.gen ?? null,
    runtime: running?.runtime ?? null,
    model: config.model,
    provider: config.provider,
    instructions: config.instructions,
    description: config.description,
    tier: running?.tier ?? null,
    skills: namesIn(config.extra, "skills"),
    plugins: pluginNames(config),
    installedPlugins: installedPlugins(config).map(({ name, version, sha256 }) => ({
      name,
      version,
      sha256,
    })),
  };
}

async function pendingOf(deps: Deps, row: ConfigRow): Promise<ConfigDocument["pending"]> {
  const range = { after: row.appliedGen, upTo: row.desiredGen };
  const { merged } = await changesBetween(deps.db, row.id, range);
  return merged.map((change) => ({
    ...change,
    names: [...change.names],
    actors: [...change.actors],
  }));
}

/** The workspace's template as it is now; null without one, and when it is gone or broken. */
async function templateOf(deps: Deps, row: ConfigRow): Promise<Template | null> {
  if (row.template === null) return null;
  try {
    return await requireTemplate(deps, row.template);
  } catch (error) {
    // The fields then take any value, and none is said to be the template's.
    if (isDomainError(error)) return null;
    throw error;
  }
}

/** The models the document names, else those of its template. */
function modelsOf(row: ConfigRow, template: Template | null): ConfigDocument["models"] {
  const own = offeredModels(row.config.extra);
  return own.length > 0 || template === null ? own : offeredModels(template.config.extra);
}

/** The same by provider, with the keys that each choice needs. */
function providersOf(row: ConfigRow, template: Template | null): ConfigDocument["providers"] {
  const own = viewProviders(row.config);
  return own.length > 0 || template === null ? own : viewProviders(template.config);
}

const NO_SCHEDULES = { count: 0, enabled: 0, nextRunAt: null };

async function schedulesOf(deps: Deps, workspaceId: string): Promise<ConfigDocument["schedules"]> {
  const rows = await listSchedules(deps.db, workspaceId);
  const next = rows.flatMap((one) => one.nextRunAt?.toISOString() ?? []).toSorted()[0];
  const enabled = rows.filter((one) => one.enabled).length;
  return { count: rows.length, enabled, nextRunAt: next ?? null };
}

/** Where each value of the form comes from. SPEC: CF2. */
function sourcesOf(row: ConfigRow, template: Template | null): ConfigDocument["sources"] {
  const ofConfig = (key: "model" | "provider" | "instructions" | "description"): ConfigSource =>
    sourceOf(row.config[key], { template: template?.config[key] });
  return {
    model: ofConfig("model"),
    provider: ofConfig("provider"),
    instructions: ofConfig("instructions"),
    description: ofConfig("description"),
    tier: sourceOf(row.tier, { template: template?.tier }),
    applyPolicy: sourceOf(row.applyPolicy, { byDefault: "settle" }),
    sleepAfterMinutes: sourceOf(row.hibernationIdleMinutes, {}),
  };
}

/** What `config.yaml` lists under `plugins`. */
function pluginNames(config: WorkspaceConfig): string[] {
  const installed = installedPlugins(config).map(({ name }) => name);
  return [...new Set([...namesIn(config.extra, "plugins"), ...installed])];
}

/** The names in a list of `config.yaml`; of entries that are objects their `name`. */
function namesIn(extra: WorkspaceConfig["extra"], key: "skills" | "plugins"): string[] {
  const list = extra?.[key];
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown) => {
    if (typeof entry === "string") return [entry];
    const name: unknown =
      entry !== null && typeof entry === "object" ? Reflect.get(entry, "name") : null;
    return typeof name === "string" ? [name] : [];
  });
}
