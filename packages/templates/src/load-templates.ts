import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { TemplateView, WorkspaceConfig } from "@molecule/contracts/workspaces";
import { DomainError, isDomainError } from "@molecule/domain/errors";
import { DEFAULT_RUNTIME, type Runtime } from "@molecule/domain/sets";
import { provisionTimeoutSeconds } from "@molecule/domain/start-timeout";
import { offeredModels, parseConfigYaml } from "./config-yaml.ts";
import { CONFIG_FILE, isRenderedFile, PROMPT_FILE } from "./render-config.ts";
import { type TemplateSchedule, templateSchedules } from "./template-schedules.ts";

/** Where the templates lie when nothing else is said, relative to the process's folder. */
export const DEFAULT_TEMPLATES_DIR = "packages/templates/data";
const DEFAULT_TIER = 2;
const MAX_TEMPLATE_FILES = 200;
const MAX_TEMPLATE_FILE_BYTES = 1_048_576;

/** What a workspace created from a template starts with. */
export interface Template {
  readonly id: string;
  readonly name: string;
  readonly tier: number;
  readonly runtime: Runtime;
  readonly config: WorkspaceConfig;
  /** Further files for `/configs`, by path relative to it. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What each workspace made from it does again and again. */
  readonly schedules: readonly TemplateSchedule[];
  /** `runtime_config.provision_timeout_seconds`; absent when the template does not say. */
  readonly provisionTimeoutSeconds: number | undefined;
}

/** One folder: a template, or why it is none. */
export type LoadedTemplate =
  | { readonly kind: "template"; readonly template: Template }
  | { readonly kind: "broken"; readonly id: string; readonly cause: string };

/** Every folder of `dir`, by name. A malformed one is listed as broken; no folder at all is []. */
export async function loadTemplates(dir: string): Promise<LoadedTemplate[]> {
  const ids = await templateIds(dir);
  return await Promise.all(ids.map((id) => loadOne(dir, id)));
}

/** The template called `id`. @throws DomainError `bad_request` when there is none or it is broken. */
export async function loadTemplate(dir: string, id: string): Promise<Template> {
  const known = (await templateIds(dir)).includes(id);
  if (!known) throw new DomainError("bad_request", `There is no template called “${id}”.`);
  const loaded = await loadOne(dir, id);
  if (loaded.kind === "template") return loaded.template;
  throw new DomainError("bad_request", `The template “${id}” cannot be used: ${loaded.cause}`);
}

/** The template as the create sheet shows it. */
export function viewTemplate(loaded: LoadedTemplate): TemplateView {
  if (loaded.kind === "broken") {
    return {
      id: loaded.id,
      name: loaded.id,
      description: "",
      runtime: DEFAULT_RUNTIME,
      tier: DEFAULT_TIER,
      model: "",
      models: [],
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
    models: offeredModels(config.extra),
    requiredEnv: config.requiredEnv,
    starterPrompts: config.starterPrompts,
    broken: null,
  };
}

async function templateIds(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && /^[a-z0-9][a-z0-9-]*$/.test(entry.name))
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

async function loadOne(dir: string, id: string): Promise<LoadedTemplate> {
  const folder = join(dir, id);
  try {
    const parsed = parseConfigYaml(await readFile(join(folder, CONFIG_FILE), "utf8"));
    const template: Template = {
      id,
      name: parsed.name ?? id,
      tier: parsed.tier ?? DEFAULT_TIER,
      runtime: parsed.runtime ?? DEFAULT_RUNTIME,
      config: { ...parsed.config, instructions: await readPrompt(folder) },
      files: await readFurtherFiles(folder),
      schedules: templateSchedules(parsed.config.extra),
      provisionTimeoutSeconds: provisionTimeoutSeconds(parsed.config.extra) ?? undefined,
    };
    return { kind: "template", template };
  } catch (error) {
    return { kind: "broken", id, cause: causeOf(error) };
  }
}

async function readPrompt(folder: string): Promise<string> {
  try {
    return await readFile(join(folder, PROMPT_FILE), "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "";
    throw error;
  }
}

async function readFurtherFiles(folder: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = new Map<string, Uint8Array>();
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const absolute = join(entry.parentPath, entry.name);
    const path = absolute.slice(folder.length + 1).replaceAll("\\", "/");
    if (isRenderedFile(path) || path.split("/").some((part) => part.startsWith("."))) continue;
    if ((await stat(absolute)).size > MAX_TEMPLATE_FILE_BYTES) {
      throw new DomainError("bad_request", `${path} is larger than 1 MiB.`);
    }
    files.set(path, await readFile(absolute));
    if (files.size > MAX_TEMPLATE_FILES) {
      throw new DomainError("bad_request", `It has more than ${MAX_TEMPLATE_FILES} files.`);
    }
  }
  return files;
}

function causeOf(error: unknown): string {
  if (isDomainError(error)) return error.message;
  if (codeOf(error) === "ENOENT") return `${CONFIG_FILE} is missing.`;
  return "The folder cannot be read.";
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
