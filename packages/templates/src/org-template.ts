import type { DomainError } from "@molecule/domain/errors";
import { RUNTIMES } from "@molecule/domain/sets";
import { z } from "zod";
import { readYamlMapping, refusedYaml } from "./read-yaml.ts";
import { isTemplateId } from "./template.ts";

/** Name of the file that makes a folder a team. */
export const ORG_FILE = "org.yaml";
/** Most agents of one team. */
const MAX_WORKSPACES = 500;
/** Deepest team. */
const MAX_DEPTH = 16;

const envName = z.string().regex(/^[A-Z][A-Z0-9_]{0,127}$/, "must be like OPENAI_API_KEY");
const envNeeds = z
  .array(z.union([envName, z.object({ any_of: z.array(envName).min(1).max(20) })]))
  .max(100)
  .nullish();
/** A key, or several of which one is enough. Source: wire contract §11.2. */
export type EnvNeed = string | { readonly any_of: readonly string[] };

const line = (max: number) => z.string().max(max).nullish();
const settings = {
  runtime: z.enum(RUNTIMES).nullish(),
  tier: z.number().int().min(1).max(4).nullish(),
  model: line(100),
  required_env: envNeeds,
};
const nodeShape = z.looseObject({
  ...settings,
  name: z.string().trim().min(1).max(255),
  role: line(1000),
  template: z.string().refine(isTemplateId, "must be the name of a template").nullish(),
  system_prompt: line(200_000),
  children: z.array(z.unknown()).max(MAX_WORKSPACES).nullish(),
});
const orgShape = z.looseObject({
  name: z.string().trim().min(1).max(255),
  description: line(1000),
  required_env: envNeeds,
  recommended_env: envNeeds,
  defaults: z.looseObject(settings).nullish(),
  workspaces: z.array(z.unknown()).min(1, "a team has at least one agent").max(MAX_WORKSPACES),
});

/** One agent of a team, with the team's defaults applied; null: as its template or the platform says. */
export interface OrgNode {
  readonly name: string;
  readonly role: string | null;
  readonly template: string | null;
  readonly runtime: string | null;
  readonly model: string | null;
  readonly tier: number | null;
  readonly instructions: string | null;
  readonly children: readonly OrgNode[];
}

/** A team that can be made at once. */
export interface OrgTemplate {
  readonly name: string;
  readonly description: string;
  /** Of the team and of every agent in it. */
  readonly requiredEnv: readonly EnvNeed[];
  readonly recommendedEnv: readonly EnvNeed[];
  readonly workspaces: readonly OrgNode[];
}

/**
 * The team that an `org.yaml` describes; keys for parts of the platform that it does not name are left
 * alone. @throws DomainError `bad_request` naming line or field.
 */
export function readOrgTemplate(source: string): OrgTemplate {
  const org = parse(orgShape, readYamlMapping(ORG_FILE, source), "");
  const needs: (readonly EnvNeed[])[] = [org.required_env ?? [], org.defaults?.required_env ?? []];
  let count = 0;
  const readNodes = (list: readonly unknown[], at: string): OrgNode[] => {
    const names = new Set<string>();
    return list.map((value, index) => {
      const path = `${at}.${index}`;
      const node = parse(nodeShape, value, path);
      count += 1;
      if (count > MAX_WORKSPACES) throw refused(`it has more than ${MAX_WORKSPACES} agents`);
      if (path.split(".").length / 2 > MAX_DEPTH) throw refused(`it is deeper than ${MAX_DEPTH}`);
      if (names.has(node.name))
        throw refused(`two agents beside each other are called “${node.name}”`);
      names.add(node.name);
      needs.push(node.required_env ?? []);
      return {
        name: node.name,
        role: node.role ?? null,
        template: node.template ?? null,
        runtime: node.runtime ?? org.defaults?.runtime ?? null,
        model: node.model ?? org.defaults?.model ?? null,
        tier: node.tier ?? org.defaults?.tier ?? null,
        instructions: node.system_prompt ?? null,
        children: readNodes(node.children ?? [], `${path}.children`),
      };
    });
  };
  const workspaces = readNodes(org.workspaces, "workspaces");
  const requiredEnv = mergeNeeds(needs.flat(), []);
  return {
    name: org.name,
    description: org.description ?? "",
    requiredEnv,
    recommendedEnv: mergeNeeds(org.recommended_env ?? [], requiredEnv),
    workspaces,
  };
}

/** How many agents these are, with all below them. */
export function countNodes(nodes: readonly OrgNode[]): number {
  return nodes.reduce((sum, node) => sum + 1 + countNodes(node.children), 0);
}

/**
 * Each need once. A key that is needed for itself settles every group it is in; what is `above` is not
 * said again. Source: wire contract §11.2.
 */
function mergeNeeds(needs: readonly EnvNeed[], above: readonly EnvNeed[]): EnvNeed[] {
  const isStrict = (need: EnvNeed) => typeof need === "string";
  const strictAbove = new Set(above.filter(isStrict));
  const strict = new Set(needs.filter((need) => isStrict(need) && !strictAbove.has(need)));
  const said = new Set(above.map(groupKey));
  const groups = needs.flatMap((need) => {
    if (typeof need === "string") return [];
    const isSettled = need.any_of.some((key) => strict.has(key) || strictAbove.has(key));
    if (isSettled || said.has(groupKey(need))) return [];
    said.add(groupKey(need));
    return [{ any_of: [...new Set(need.any_of)] }];
  });
  return [...strict, ...groups];
}

function groupKey(need: EnvNeed): string {
  return typeof need === "string" ? need : [...new Set(need.any_of)].sort().join(" or ");
}

function parse<S extends z.ZodType>(shape: S, value: unknown, at: string): z.output<S> {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = [at, ...(issue?.path ?? []).map(String)].filter((part) => part !== "").join(".");
  throw refused(`the field “${field}” is not valid: ${issue?.message ?? "unknown shape"}`);
}

function refused(why: string): DomainError {
  return refusedYaml(ORG_FILE, why);
}
