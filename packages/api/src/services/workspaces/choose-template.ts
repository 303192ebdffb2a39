import type { WorkspaceConfig } from "@molecule/contracts/workspaces";
import { DomainError } from "@molecule/domain/errors";
import { DEFAULT_RUNTIME, RUNTIMES, type Runtime } from "@molecule/domain/sets";
import type { TemplateSchedule } from "@molecule/templates/template-schedules";
import type { Deps } from "../../deps.ts";
import { loadCatalogue, requireTemplate } from "../templates/template-catalogue.ts";

/** What a new workspace starts with before the caller's own wishes. */
export interface Chosen {
  readonly runtime: Runtime;
  /** Null when neither the caller nor a template says. */
  readonly tier: number | null;
  readonly config: WorkspaceConfig;
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Of the template that was asked for; empty without one. */
  readonly schedules: readonly TemplateSchedule[];
}

const EMPTY: WorkspaceConfig = {
  model: null,
  provider: null,
  instructions: "",
  description: "",
  requiredEnv: [],
  starterPrompts: [],
  extra: {},
};

/**
 * The template that was asked for. Without one: an empty configuration that still knows which keys and
 * models the runtime has, from the first template of that runtime. A template for another runtime than
 * its own has that runtime's models and keys.
 * @throws DomainError `bad_request` with the known names.
 */
export async function chooseTemplate(
  deps: Deps,
  wanted: { readonly template: string | null; readonly runtime: string | null },
): Promise<Chosen> {
  const asked = wanted.runtime === null ? null : parseRuntime(wanted.runtime);
  if (wanted.template !== null) {
    const template = await requireTemplate(deps, wanted.template);
    const { tier, files, schedules } = template;
    const runtime = asked ?? template.runtime;
    const config =
      runtime === template.runtime
        ? template.config
        : withBrainOf(template.config, await kinOf(deps, runtime));
    return { runtime, tier, config, files, schedules };
  }
  const runtime = asked ?? DEFAULT_RUNTIME;
  const kin = await kinOf(deps, runtime);
  const config = { ...kin, ...OWN_OF_TEMPLATE, extra: withoutSchedules(kin.extra) };
  return { runtime, tier: null, config, files: new Map(), schedules: [] };
}

/** The configuration of the first template of a runtime; an empty one where there is none. */
async function kinOf(deps: Deps, runtime: Runtime): Promise<WorkspaceConfig> {
  const loaded = await loadCatalogue(deps);
  const heads = loaded.flatMap((entry) => (entry.kind === "template" ? [entry.template] : []));
  return heads.find((template) => template.runtime === runtime)?.config ?? EMPTY;
}

/** A template for another runtime than its own: models, providers and keys are that runtime's. */
function withBrainOf(config: WorkspaceConfig, kin: WorkspaceConfig): WorkspaceConfig {
  const { runtime_config: _inner, providers: _registry, ...extra } = config.extra;
  const { runtime_config: inner, providers: registry } = kin.extra;
  return {
    ...config,
    model: kin.model,
    provider: kin.provider,
    requiredEnv: kin.requiredEnv,
    extra: {
      ...extra,
      ...(inner === undefined ? {} : { runtime_config: inner }),
      ...(registry === undefined ? {} : { providers: registry }),
    },
  };
}

/** What a template says of itself and not of its runtime. */
const OWN_OF_TEMPLATE = { instructions: "", description: "", starterPrompts: [] };

function withoutSchedules({ schedules: _own, ...extra }: WorkspaceConfig["extra"]) {
  return extra;
}

/** @throws DomainError `bad_request` with the known names. */
export function parseRuntime(text: string): Runtime {
  const runtime = RUNTIMES.find((known) => known === text);
  if (runtime !== undefined) return runtime;
  throw new DomainError("bad_request", `There is no runtime called “${text}”.`, {
    next: `Use one of: ${RUNTIMES.join(", ")}.`,
    details: { field: "runtime", known_runtimes: [...RUNTIMES] },
  });
}
