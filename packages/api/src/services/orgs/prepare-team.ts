import { requireTimes } from "@molecule/db/schedules/schedule-rows";
import { DEFAULT_CONCURRENT_TASKS } from "@molecule/domain/delivery";
import { keysOfNeed } from "@molecule/domain/env-need";
import { isDomainError } from "@molecule/domain/errors";
import { type KeyNeed, requiredKeys, TEAM_NEEDS } from "@molecule/domain/model-offer";
import type { OrgWish } from "@molecule/domain/org-plan";
import { type Actor, type Backend, DEFAULT_RUNTIME } from "@molecule/domain/sets";
import { parseConfigYaml } from "@molecule/templates/config-yaml";
import { type NodeFiles, nodeFiles, type OrgBundle } from "@molecule/templates/org-bundle";
import { type OrgMemory, readMemories } from "@molecule/templates/org-node";
import type { OrgTreeNode } from "@molecule/templates/org-template";
import { checkOffer } from "@molecule/templates/template-offer";
import { templateSchedules } from "@molecule/templates/template-schedules";
import { checkAgentUrl, resolveAll } from "../../adapters/public-address.ts";
import type { Deps } from "../../deps.ts";
import { type Chosen, chooseTemplate, parseRuntime } from "../workspaces/choose-template.ts";
import { checkDirectory } from "../workspaces/create-from-wire.ts";
import {
  type CreateRequest,
  defaultBackend,
  type Prepared,
  prepareWorkspace,
} from "../workspaces/create-workspace.ts";

/** Tier of an agent of a team that neither it, its team nor its template gives one. Source: §11.2. */
const DEFAULT_TIER = 2;

/** One agent of a team, ready to be made. */
export interface PreparedAgent {
  readonly prepared: Prepared;
  readonly fileCount: number;
  /** Names of its secrets. */
  readonly secretNames: readonly string[];
  readonly channelCount: number;
  readonly notes: readonly string[];
}

/** A team of which every agent is ready, or has its problem. */
export interface PreparedTeam {
  readonly wishes: readonly OrgWish<PreparedAgent | null>[];
  /** What is to be told of the team as a whole. */
  readonly notes: readonly string[];
}

/** What all agents of one team are prepared with; templates are read once each. */
interface Kitchen {
  readonly deps: Deps;
  readonly actor: Actor;
  readonly bundle: OrgBundle;
  readonly memories: readonly OrgMemory[];
  readonly choose: (wanted: Parameters<typeof chooseTemplate>[1]) => Promise<Chosen>;
  readonly defaultBackend: () => Promise<Backend>;
}

/** Decides everything about every agent; nothing is written. */
export async function prepareTeam(
  deps: Deps,
  actor: Actor,
  bundle: OrgBundle,
): Promise<PreparedTeam> {
  const memories = readMemories(bundle.org.globalMemories, "GLOBAL");
  const kitchen: Kitchen = {
    deps,
    actor,
    bundle,
    memories: memories ?? [],
    choose: remembered((wanted) => chooseTemplate(deps, wanted)),
    defaultBackend: remembered(() => defaultBackend(deps)),
  };
  const wishes: OrgWish<PreparedAgent | null>[] = [];
  for (const node of bundle.org.workspaces) wishes.push(await prepareNode(kitchen, node, true));
  const notes = [
    ...bundle.notes,
    ...(memories === null
      ? ["The global memories are not as memories are, and are left out."]
      : []),
  ];
  return { wishes, notes };
}

async function prepareNode(
  kitchen: Kitchen,
  node: OrgTreeNode,
  isTop: boolean,
): Promise<OrgWish<PreparedAgent | null>> {
  const needs = node.needs.map(keysOfNeed);
  const wish = {
    name: node.name,
    isExternal: node.isExternal,
    place: node.place,
    needs,
    children: [] as OrgWish<PreparedAgent | null>[],
  };
  for (const child of node.children) wish.children.push(await prepareNode(kitchen, child, false));
  const failed = (problem: string) => ({
    ...wish,
    problem,
    startNeeds: [],
    ownKeys: [],
    payload: null,
  });
  if (node.problem !== null) return failed(node.problem);
  try {
    const payload = await prepareAgent(kitchen, node, isTop);
    const { prepared, secretNames } = payload;
    const startNeeds = node.isExternal ? [] : requiredKeys(prepared.draft.config);
    return { ...wish, problem: null, startNeeds, ownKeys: secretNames, payload };
  } catch (error) {
    if (isDomainError(error) && error.code !== "platform_unavailable") return failed(error.message);
    throw error;
  }
}

async function prepareAgent(
  kitchen: Kitchen,
  node: OrgTreeNode,
  isTop: boolean,
): Promise<PreparedAgent> {
  const { deps, actor, bundle } = kitchen;
  const files = nodeFiles(bundle, node);
  const chosen = await chosenFor(kitchen, node, files);
  for (const schedule of chosen.schedules) requireTimes(schedule);
  if (node.url !== "") {
    await checkAgentUrl(node.url, { allowCidrs: deps.platform.allowCidrs, resolve: resolveAll });
  }
  const request: CreateRequest = {
    name: node.name,
    role: node.role,
    template: node.template,
    runtime: node.runtime,
    model: node.model,
    provider: node.provider,
    instructions: node.instructions ?? files.prompt,
    tier: node.tier ?? chosen.tier ?? DEFAULT_TIER,
    // It stands below whatever its parent will be called in the database.
    parentId: null,
    backend: null,
    place: node.place,
    secrets: Object.fromEntries(files.secrets),
    memories: [...node.memories, ...(isTop ? kitchen.memories : [])],
    url: node.url,
    maxConcurrentTasks: { asked: node.maxConcurrentTasks, fallback: DEFAULT_CONCURRENT_TASKS },
    budgetLimit: null,
    workspaceDir: node.workspaceDir === null ? null : checkDirectory(node.workspaceDir),
    workspaceAccess: node.workspaceDir === null ? "none" : node.workspaceAccess,
  };
  const { defaultBackend: usual } = kitchen;
  const prepared = await prepareWorkspace(actor, { request, chosen, defaultBackend: usual });
  return {
    prepared,
    fileCount: prepared.draft.files.size,
    secretNames: [...files.secrets.keys()].sort(),
    channelCount: node.channelCount,
    notes: [...files.notes, ...pluginNote(node)],
  };
}

/** A plugin is fetched and checked by whoever installs it, so a team only names its own. */
function pluginNote({ extra }: OrgTreeNode): string[] {
  const count = Array.isArray(extra.plugins) ? extra.plugins.length : 0;
  return count === 0
    ? []
    : [`Its ${count} plugins are named and not installed; install them under Configure.`];
}

/** What it starts with: its own `config.yaml`, else its template, and what the team says over that. */
async function chosenFor(kitchen: Kitchen, node: OrgTreeNode, files: NodeFiles): Promise<Chosen> {
  const base =
    files.config === null
      ? await kitchen.choose({ template: node.template, runtime: node.runtime })
      : fromConfig(files.config, node);
  const { [TEAM_NEEDS]: _former, ...extra } = base.config.extra;
  const own = files.config === null ? base.schedules : [];
  const said = node.schedules ?? (files.config === null ? [] : base.schedules);
  return {
    ...base,
    config: {
      ...base.config,
      extra: {
        ...extra,
        ...node.extra,
        ...files.extra,
        ...(node.needs.length === 0 ? {} : { [TEAM_NEEDS]: node.needs }),
      },
    },
    files: new Map([...base.files, ...files.files]),
    schedules: [...own.filter(({ name }) => said.every((one) => one.name !== name)), ...said],
  };
}

function fromConfig(source: string, node: OrgTreeNode): Chosen {
  const { runtime, tier, config } = parseConfigYaml(source);
  checkOffer(config.extra);
  return {
    runtime: node.runtime === null ? (runtime ?? DEFAULT_RUNTIME) : parseRuntime(node.runtime),
    tier: tier ?? null,
    config: { ...config, instructions: "" },
    files: new Map(),
    schedules: templateSchedules(config.extra),
  };
}

/** Asks for each thing once. */
function remembered<A extends readonly unknown[], R>(
  ask: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  const known = new Map<string, Promise<R>>();
  return (...args) => {
    const key = JSON.stringify(args);
    const found = known.get(key) ?? ask(...args);
    known.set(key, found);
    return found;
  };
}

/** Needs of a wish that stand in the preview, each once. */
export function allNeeds(wish: OrgWish<unknown>): KeyNeed[] {
  const found = new Map([...wish.needs, ...wish.startNeeds].map((need) => [need.join(), need]));
  return [...found.values()];
}
