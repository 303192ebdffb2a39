import type { WorkspaceConfig } from "@molecule/contracts/workspaces";
import type { Place } from "@molecule/domain/free-place";
import { TEAM_NEEDS } from "@molecule/domain/model-offer";
import type { Runtime, WorkspaceAccess } from "@molecule/domain/sets";
import { stringify } from "yaml";
import { ORG_FILE } from "./org-node.ts";
import { CONFIG_FILE, PROMPT_FILE, renderConfigs } from "./render-config.ts";
import type { TemplateSchedule } from "./template-schedules.ts";

/** An agent as its team takes it along. */
export interface ExportedAgent {
  readonly name: string;
  readonly role: string | null;
  readonly tier: number;
  readonly runtime: Runtime;
  readonly template: string | null;
  readonly config: WorkspaceConfig;
  readonly maxConcurrentTasks: number;
  readonly workspaceDir: string | null;
  readonly workspaceAccess: WorkspaceAccess;
  readonly url: string;
  readonly place: Place;
  readonly schedules: readonly TemplateSchedule[];
  /** Of `/configs`, without its two views. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly children: readonly ExportedAgent[];
}

/**
 * The folder of a team: an `org.yaml`, and for each agent a folder with its `config.yaml`, its
 * instructions and its files. Plugins are named by their source and not taken along: they are fetched and
 * checked anew where they are installed.
 */
export function exportOrg(
  name: string,
  agents: readonly ExportedAgent[],
): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const folders = new Set<string>();
  const write = (agent: ExportedAgent): Record<string, unknown> => {
    const dir = folderOf(agent.name, folders);
    for (const [path, content] of filesOf(agent)) files.set(`${dir}/${path}`, content);
    return { ...describe(agent), files_dir: dir, children: agent.children.map(write) };
  };
  const document = { name, workspaces: agents.map(write) };
  // Quoted without exception: a name such as "yes" or "1.0" stays a string.
  const yaml = stringify(document, {
    defaultStringType: "QUOTE_DOUBLE",
    defaultKeyType: "PLAIN",
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
  return new Map([[ORG_FILE, new TextEncoder().encode(yaml)], ...files]);
}

function describe(agent: ExportedAgent): Record<string, unknown> {
  const { config, runtime, place, role, template, url, workspaceDir, workspaceAccess } = agent;
  const needs = config.extra[TEAM_NEEDS];
  const plugins = (config.plugins ?? []).map(({ source }) => source);
  return {
    name: agent.name,
    ...(role === null ? {} : { role }),
    tier: agent.tier,
    runtime,
    ...(template === null ? {} : { template }),
    ...(runtime === "external" ? { external: true, url } : {}),
    canvas: { x: place.x, y: place.y },
    max_concurrent_tasks: agent.maxConcurrentTasks,
    ...(workspaceDir === null
      ? {}
      : { workspace_dir: workspaceDir, workspace_access: workspaceAccess }),
    ...(needs === undefined ? {} : { required_env: needs }),
    ...(plugins.length === 0 ? {} : { plugins }),
    schedules: agent.schedules.map(({ name, cronExpr, timezone, prompt, enabled }) => ({
      name,
      cron_expr: cronExpr,
      timezone,
      prompt,
      enabled,
    })),
  };
}

function filesOf(agent: ExportedAgent): Map<string, Uint8Array> {
  const { plugins = [], ...config } = agent.config;
  const { [TEAM_NEEDS]: _told, ...extra } = config.extra;
  const rendered = renderConfigs({ ...agent, config: { ...config, extra } });
  if (config.instructions === "") rendered.delete(PROMPT_FILE);
  const ofPlugins = plugins.map((plugin) => `plugins/${plugin.name}/`);
  const own = [...agent.files].filter(
    ([path]) =>
      path !== CONFIG_FILE &&
      path !== PROMPT_FILE &&
      !ofPlugins.some((folder) => path.startsWith(folder)),
  );
  return new Map([...rendered, ...own]);
}

/** A folder that no other agent has, named after its own. */
function folderOf(name: string, taken: Set<string>): string {
  const word = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 40);
  const base = `workspaces/${word === "" ? "agent" : word}`;
  let dir = base;
  for (let n = 2; taken.has(dir); n += 1) dir = `${base}-${n}`;
  taken.add(dir);
  return dir;
}
