import type { ProviderView, TemplateView, WorkspaceConfig } from "@molecule/contracts/workspaces";
import { DomainError, isDomainError } from "@molecule/domain/errors";
import { providerChoices, readOffer, requiredKeys } from "@molecule/domain/model-offer";
import { DEFAULT_RUNTIME, type Runtime } from "@molecule/domain/sets";
import { provisionTimeoutSeconds } from "@molecule/domain/start-timeout";
import { parseConfigYaml } from "./config-yaml.ts";
import { CONFIG_FILE, isRenderedFile, PROMPT_FILE } from "./render-config.ts";
import { checkOffer } from "./template-offer.ts";
import { type TemplateSchedule, templateSchedules } from "./template-schedules.ts";

const DEFAULT_TIER = 2;
/** Most files of a template, its two views included. Source: wire contract §11.1. */
export const MAX_TEMPLATE_FILES = 200;
/** Largest file of a template, in bytes. */
export const MAX_TEMPLATE_FILE_BYTES = 1_048_576;

/** What a template says, without the files it brings along. */
export interface TemplateHead {
  readonly id: string;
  readonly name: string;
  readonly tier: number;
  readonly runtime: Runtime;
  readonly config: WorkspaceConfig;
  /** What each workspace made from it does again and again. */
  readonly schedules: readonly TemplateSchedule[];
  /** `runtime_config.provision_timeout_seconds`; absent when the template does not say. */
  readonly provisionTimeoutSeconds: number | undefined;
}

/** What a workspace created from a template starts with. */
export interface Template extends TemplateHead {
  /** Further files for `/configs`, by path relative to it. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** One folder or one import: a template, or why it is none. */
export type LoadedTemplate =
  | { readonly kind: "template"; readonly template: TemplateHead }
  | { readonly kind: "broken"; readonly id: string; readonly cause: string };

/** Whether a name may be a template's: it is a folder, a part of an address and a word for people. */
export function isTemplateId(text: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,99}$/.test(text) && text !== RESERVED_ID;
}

/** Where templates are chosen this word means an agent that runs elsewhere. */
const RESERVED_ID = "external";

/** The two views of a template as bytes; `prompt` null where there is no such file. */
export interface TemplateViews {
  readonly config: Uint8Array;
  readonly prompt: Uint8Array | null;
}

/** Reads what a template says. @throws DomainError `bad_request` with the cause. */
export function readTemplateHead(id: string, views: TemplateViews): TemplateHead {
  const parsed = parseConfigYaml(textOf(CONFIG_FILE, views.config));
  checkOffer(parsed.config.extra);
  return {
    id,
    name: parsed.name ?? id,
    tier: parsed.tier ?? DEFAULT_TIER,
    runtime: parsed.runtime ?? DEFAULT_RUNTIME,
    config: {
      ...parsed.config,
      instructions: views.prompt === null ? "" : textOf(PROMPT_FILE, views.prompt),
    },
    schedules: templateSchedules(parsed.config.extra),
    provisionTimeoutSeconds: provisionTimeoutSeconds(parsed.config.extra) ?? undefined,
  };
}

/** Reads a template from all of its files. @throws DomainError `bad_request` with the cause. */
export function readTemplate(id: string, all: ReadonlyMap<string, Uint8Array>): Template {
  const config = all.get(CONFIG_FILE);
  if (config === undefined) throw new DomainError("bad_request", `${CONFIG_FILE} is missing.`);
  const head = readTemplateHead(id, { config, prompt: all.get(PROMPT_FILE) ?? null });
  return { ...head, files: new Map([...all].filter(([path]) => !isRenderedFile(path))) };
}

/** A template, or the sentence that says why it is none. @throws what is no `DomainError`. */
export function orBroken(id: string, read: () => TemplateHead): LoadedTemplate {
  try {
    return { kind: "template", template: read() };
  } catch (error) {
    if (isDomainError(error)) return { kind: "broken", id, cause: error.message };
    throw error;
  }
}

/** The template as the create sheet shows it. */
export function viewTemplate(loaded: LoadedTemplate): Omit<TemplateView, "isImported"> {
  if (loaded.kind === "broken") {
    return {
      id: loaded.id,
      name: loaded.id,
      description: "",
      runtime: DEFAULT_RUNTIME,
      tier: DEFAULT_TIER,
      model: "",
      provider: null,
      providers: [],
      requiredEnv: [],
      starterPrompts: [],
      broken: loaded.cause,
    };
  }
  const { id, name, tier, runtime, config } = loaded.template;
  return {
    id,
    name,
    description: config.description,
    runtime,
    tier,
    model: config.model ?? "",
    provider: config.provider,
    providers: viewProviders(config),
    requiredEnv: config.requiredEnv,
    starterPrompts: config.starterPrompts,
    broken: null,
  };
}

/** What a configuration offers to choose from, by provider; [] when it offers nothing. */
export function viewProviders({
  requiredEnv,
  extra,
}: Pick<WorkspaceConfig, "requiredEnv" | "extra">): ProviderView[] {
  const keysOf = (provider: string | null, model: string | null) =>
    requiredKeys({ provider, model, requiredEnv, extra }).map((need) => [...need]);
  return providerChoices(readOffer(extra)).map(({ provider, isInferred, models }) => ({
    provider,
    isInferred,
    keys: keysOf(provider, null),
    models: models.map(({ id, name }) => ({ id, name, keys: keysOf(provider, id) })),
  }));
}

function textOf(path: string, content: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch (cause) {
    throw new DomainError("bad_request", `${path} is not UTF-8 text.`, { cause });
  }
}
