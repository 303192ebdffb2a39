import { initialMemory } from "@molecule/contracts/memory";
import { ENV_NAME, type EnvNeed } from "@molecule/domain/env-need";
import { isDomainError } from "@molecule/domain/errors";
import type { Place } from "@molecule/domain/free-place";
import { DEFAULT_NAMESPACE, MAX_MEMORY_CHARS } from "@molecule/domain/memory";
import {
  type MemoryScope,
  RUNTIMES,
  WORKSPACE_ACCESSES,
  type WorkspaceAccess,
} from "@molecule/domain/sets";
import { z } from "zod";
import { isTemplateId } from "./template.ts";
import { type TemplateSchedule, templateSchedules } from "./template-schedules.ts";

/** Name of the file that makes a folder a team. */
export const ORG_FILE = "org.yaml";

/** Something that an agent remembers from the beginning. */
export interface OrgMemory {
  readonly content: string;
  readonly scope: MemoryScope;
  readonly namespace: string;
}

/** One agent of a team, with the team's defaults applied; null: as its template or the platform says. */
export interface OrgNode {
  /** As it is shown; where there is none that could be, what stands for it. */
  readonly name: string;
  /** Why it cannot be made, a whole sentence; null: nothing in its description is wrong. */
  readonly problem: string | null;
  readonly role: string | null;
  readonly template: string | null;
  readonly runtime: string | null;
  readonly model: string | null;
  readonly provider: string | null;
  readonly tier: number | null;
  readonly instructions: string | null;
  /** Folder of its files, relative to the team's. */
  readonly filesDir: string | null;
  readonly isExternal: boolean;
  /** Where an external one listens; empty: nowhere. */
  readonly url: string;
  readonly place: Place | null;
  readonly maxConcurrentTasks: number | null;
  readonly workspaceDir: string | null;
  readonly workspaceAccess: WorkspaceAccess;
  /** Null: it does not say. */
  readonly schedules: readonly TemplateSchedule[] | null;
  readonly memories: readonly OrgMemory[];
  /** Channels it names; the platform has none. */
  readonly channelCount: number;
  /** Names of files in its folder or the team's, by the key of `config.yaml` that gets their text. */
  readonly promptFiles: Readonly<Record<string, string>>;
  /** Keys of `config.yaml` that its description sets. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** What one entry of a list of agents says. */
export interface ReadNode {
  readonly node: OrgNode;
  /** Its own, without the team's. */
  readonly requiredEnv: readonly EnvNeed[];
  /** As they are written. */
  readonly children: readonly unknown[];
}

const text = (max: number) => z.string().max(max).nullish();
const oneLine = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[^\u0000-\u001f\u007f]*$/, "must be one line without control characters")
    .nullish();
/** Source: wire contract §3.4. */
const plain = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .regex(/^[^{}[\]|>*&!\u0000-\u001f\u007f]*$/, "must be one line without { } [ ] | > * & or !");
const envName = z.string().regex(ENV_NAME, "must be like OPENAI_API_KEY");
/** `required_env` and `recommended_env`. Source: wire contract §11.2. */
export const envNeeds = z
  .array(z.union([envName, z.object({ any_of: z.array(envName).min(1).max(20) })]))
  .max(100)
  .nullish();
const coordinate = z.number().min(-1_000_000).max(1_000_000);
const memory = z.union([z.string().regex(/\S/, "must say something"), initialMemory]);

/** What an agent and the team's defaults both may say. */
const shared = {
  runtime: z.enum(RUNTIMES).nullish(),
  tier: z.number().int().min(1).max(4).nullish(),
  model: oneLine(100),
  plugins: z.array(z.unknown()).max(100).nullish(),
  initial_prompt: text(100_000),
  initial_prompt_file: oneLine(512),
  idle_prompt: text(100_000),
  idle_prompt_file: oneLine(512),
  idle_interval_seconds: z.number().int().min(1).max(31_536_000).nullish(),
  category_routing: z.record(z.string(), z.unknown()).nullish(),
  initial_memories: z.array(memory).max(1000).nullish(),
  workspace_dir: oneLine(1024),
  workspace_access: z.enum(WORKSPACE_ACCESSES).nullish(),
};
const nodeShape = z.looseObject({
  ...shared,
  name: plain(255).min(1, "is empty"),
  role: plain(1000).nullish(),
  provider: oneLine(100),
  template: z.string().refine(isTemplateId, "must be the name of a template").nullish(),
  system_prompt: text(200_000),
  files_dir: oneLine(512),
  external: z.boolean().nullish(),
  url: oneLine(2048),
  canvas: z.looseObject({ x: coordinate, y: coordinate }).nullish(),
  max_concurrent_tasks: z.number().int().max(1000).nullish(),
  channels: z.array(z.unknown()).max(1000).nullish(),
  required_env: envNeeds,
  children: z.array(z.unknown()).nullish(),
});
const defaultsShape = z.looseObject(shared);

/**
 * What one entry says. It is never refused: a wrong one has its problem, and those below it are still
 * read, so that they can be named. `placeholder` is its name where it has none that can be shown.
 */
export function readOrgNode(
  value: unknown,
  defaults: Readonly<Record<string, unknown>>,
  placeholder: string,
): ReadNode {
  const parsed = nodeShape.safeParse(value);
  const usual = defaultsShape.safeParse(defaults);
  if (!parsed.success || !usual.success) {
    const at = parsed.success ? "defaults." : "";
    const problem = problemOf((parsed.success ? usual : parsed).error, at);
    return wrong(value, placeholder, problem);
  }
  const own = parsed.data;
  try {
    const says = own.schedules !== undefined && own.schedules !== null;
    const schedules = says ? templateSchedules(own, ORG_FILE) : null;
    return {
      node: nodeOf(own, usual.data, schedules),
      requiredEnv: own.required_env ?? [],
      children: own.children ?? [],
    };
  } catch (error) {
    if (isDomainError(error)) return wrong(value, placeholder, error.message);
    throw error;
  }
}

/** Memories of a list; null where one of them is none. */
export function readMemories(list: readonly unknown[], scope: MemoryScope): OrgMemory[] | null {
  const parsed = z.array(memory).safeParse(list);
  return parsed.success ? parsed.data.map((one) => memoryOf(one, scope)) : null;
}

function nodeOf(
  own: z.output<typeof nodeShape>,
  usual: z.output<typeof defaultsShape>,
  schedules: readonly TemplateSchedule[] | null,
): OrgNode {
  const said = { ...NOTHING_SAID, ...present(usual), ...present(own) };
  const isExternal = own.external === true || said.runtime === "external";
  return {
    name: own.name,
    problem: null,
    role: blankAsNull(own.role),
    template: own.template ?? null,
    runtime: isExternal ? "external" : said.runtime,
    model: blankAsNull(said.model),
    provider: blankAsNull(own.provider),
    tier: said.tier,
    instructions: own.system_prompt ?? null,
    filesDir: blankAsNull(own.files_dir),
    isExternal,
    url: isExternal ? (own.url ?? "") : "",
    place: said.canvas === null ? null : pointOf(said.canvas),
    maxConcurrentTasks: atLeastOne(said.max_concurrent_tasks),
    workspaceDir: blankAsNull(said.workspace_dir),
    workspaceAccess: said.workspace_access,
    schedules,
    memories: [...(usual.initial_memories ?? []), ...(own.initial_memories ?? [])].map((one) =>
      memoryOf(one, "LOCAL"),
    ),
    channelCount: own.channels?.length ?? 0,
    promptFiles: pick({
      initial_prompt: blankAsNull(said.initial_prompt_file),
      idle_prompt: blankAsNull(said.idle_prompt_file),
    }),
    extra: pick({
      initial_prompt: said.initial_prompt,
      idle_prompt: said.idle_prompt,
      idle_interval_seconds: said.idle_interval_seconds,
      category_routing: said.category_routing,
      plugins: said.plugins,
    }),
  };
}

/** What neither an agent nor its team's defaults say. */
const NOTHING_SAID = {
  runtime: null,
  tier: null,
  model: null,
  canvas: null,
  max_concurrent_tasks: null,
  workspace_dir: null,
  workspace_access: "none",
  initial_prompt: null,
  initial_prompt_file: null,
  idle_prompt: null,
  idle_prompt_file: null,
  idle_interval_seconds: null,
  category_routing: null,
  plugins: null,
} as const;

/** The fields that say something. */
function present<T extends object>(said: T): { [K in keyof T]?: Exclude<T[K], null | undefined> } {
  return Object.fromEntries(
    Object.entries(said).filter(([, value]) => value !== undefined && value !== null),
  ) as { [K in keyof T]?: Exclude<T[K], null | undefined> };
}

function pick<T>(said: Readonly<Record<string, T | null>>): Record<string, T> {
  return present(said) as Record<string, T>;
}

function atLeastOne(count: number | null): number | null {
  return count === null ? null : Math.max(count, 1);
}

function pointOf({ x, y }: Place): Place {
  return { x, y };
}

function memoryOf(said: z.output<typeof memory>, scope: MemoryScope): OrgMemory {
  const { content, ...rest } = typeof said === "string" ? { content: said } : said;
  return {
    content: content.slice(0, MAX_MEMORY_CHARS),
    scope: ("scope" in rest ? rest.scope : null) ?? scope,
    namespace: ("namespace" in rest ? rest.namespace : null) || DEFAULT_NAMESPACE,
  };
}

function wrong(value: unknown, placeholder: string, problem: string): ReadNode {
  const said = typeof value === "object" && value !== null ? { ...value } : {};
  const name = "name" in said && typeof said.name === "string" ? shown(said.name) : "";
  const children = "children" in said && Array.isArray(said.children) ? said.children : [];
  return {
    node: { ...NOTHING, name: name === "" ? placeholder : name, problem },
    requiredEnv: [],
    children,
  };
}

const NOTHING: Omit<OrgNode, "name" | "problem"> = {
  role: null,
  template: null,
  runtime: null,
  model: null,
  provider: null,
  tier: null,
  instructions: null,
  filesDir: null,
  isExternal: false,
  url: "",
  place: null,
  maxConcurrentTasks: null,
  workspaceDir: null,
  workspaceAccess: "none",
  schedules: null,
  memories: [],
  channelCount: 0,
  promptFiles: {},
  extra: {},
};

function problemOf(error: z.ZodError | undefined, at: string): string {
  const [issue] = error?.issues ?? [];
  const field = (issue?.path ?? []).map(String).join(".");
  const what = issue?.message ?? "unknown shape";
  return field === ""
    ? "It is not described as an agent is."
    : `The field “${at}${field}” is not valid: ${what}.`;
}

/** A name from outside as it may stand in a sentence. */
function shown(name: string): string {
  const line = name.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?").trim();
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
}

function isBlank(said: string | null | undefined): said is null | undefined | "" {
  return said === undefined || said === null || said.trim() === "";
}

function blankAsNull(said: string | null | undefined): string | null {
  return isBlank(said) ? null : said;
}
