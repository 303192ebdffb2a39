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
 * models the runtime has, from the first template of that runtime.
 * @throws DomainError `bad_request` with the known names.
 */
export async function chooseTemplate(
  deps: Deps,
  wanted: { readonly template: string | null; readonly runtime: string | null },
): Promise<Chosen> {
  const asked = wanted.runtime === null ? null : parseRuntime(wanted.runtime);
  if (wanted.template !== null) {
    const template = await requireTemplate(deps, wanted.template);
    const { tier, config, files, schedules } = template;
    return { runtime: asked ?? template.runtime, tier, config, files, schedules };
  }
  const runtime = asked ?? DEFAULT_RUNTIME;
  const loaded = await loadCatalogue(deps);
  const kin = loaded
    .flatMap((entry) => (entry.kind === "template" ? [entry.template] : []))
    .find((template) => template.runtime === runtime);
  const config =
    kin === undefined
      ? EMPTY
      : { ...kin.config, ...OWN_OF_TEMPLATE, extra: withoutSchedules(kin.config.extra) };
  return { runtime, tier: null, config, files: new Map(), schedules: [] };
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
