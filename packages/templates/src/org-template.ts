import { type EnvNeed, mergeNeeds } from "@molecule/domain/env-need";
import type { DomainError } from "@molecule/domain/errors";
import { z } from "zod";
import { envNeeds, ORG_FILE, type OrgNode, readOrgNode } from "./org-node.ts";
import { readYamlMapping, refusedYaml } from "./read-yaml.ts";

/** Largest `org.yaml`, in bytes. */
export const MAX_ORG_BYTES = 2 * 1024 * 1024;
/** Most agents of one team. */
const MAX_WORKSPACES = 500;
/** Deepest team. Source: wire contract §5.6. */
const MAX_DEPTH = 32;

const orgShape = z.looseObject({
  name: z.string().trim().min(1).max(255),
  description: z.string().max(1000).nullish(),
  required_env: envNeeds,
  recommended_env: envNeeds,
  defaults: z.record(z.string(), z.unknown()).nullish(),
  workspaces: z.array(z.unknown()).min(1, "a team has at least one agent").max(MAX_WORKSPACES),
  global_memories: z.array(z.unknown()).max(1000).nullish(),
});
const defaultsShape = z.looseObject({ required_env: envNeeds });

/** One agent of a team with those below it. */
export interface OrgTreeNode extends OrgNode {
  /** What the team, its defaults and the agent itself ask for. */
  readonly needs: readonly EnvNeed[];
  readonly children: readonly OrgTreeNode[];
}

/** A team that can be made at once. */
export interface OrgTemplate {
  readonly name: string;
  readonly description: string;
  /** Of the team and of every agent in it. */
  readonly requiredEnv: readonly EnvNeed[];
  readonly recommendedEnv: readonly EnvNeed[];
  /** What those at its top remember for everybody below them, as it was written. */
  readonly globalMemories: readonly unknown[];
  readonly workspaces: readonly OrgTreeNode[];
}

/**
 * The team that an `org.yaml` describes; keys for parts of the platform that it does not name are left
 * alone. @throws DomainError `bad_request` naming line or field.
 */
export function readOrgTemplate(source: string): OrgTemplate {
  return orgTemplateOf(readYamlMapping(ORG_FILE, source, MAX_ORG_BYTES));
}

/**
 * The same from what the file holds. An agent that is described wrongly is in it with its problem, so
 * that whoever imports the team can leave it out and name it.
 * @throws DomainError `bad_request` where the team as a whole is none.
 */
export function orgTemplateOf(value: unknown): OrgTemplate {
  const org = parse(orgShape, value, "");
  const defaults = org.defaults ?? {};
  const { required_env: ofDefaults } = parse(defaultsShape, defaults, "defaults");
  const above = [...(org.required_env ?? []), ...(ofDefaults ?? [])];
  const needs: EnvNeed[] = [...above];
  let count = 0;
  const readNodes = (list: readonly unknown[], depth: number): OrgTreeNode[] => {
    if (list.length > 0 && depth >= MAX_DEPTH) throw refused(`it is deeper than ${MAX_DEPTH}`);
    return list.map((one) => {
      count += 1;
      if (count > MAX_WORKSPACES) throw refused(`it has more than ${MAX_WORKSPACES} agents`);
      const { node, requiredEnv, children } = readOrgNode(one, defaults, `agent ${count}`);
      needs.push(...requiredEnv);
      return {
        ...node,
        needs: mergeNeeds([...above, ...requiredEnv]),
        children: readNodes(children, depth + 1),
      };
    });
  };
  const workspaces = readNodes(org.workspaces, 0);
  const requiredEnv = mergeNeeds(needs);
  return {
    name: org.name,
    description: org.description ?? "",
    requiredEnv,
    recommendedEnv: mergeNeeds(org.recommended_env ?? [], requiredEnv),
    globalMemories: org.global_memories ?? [],
    workspaces,
  };
}

/** How many agents these are, with all below them. */
export function countNodes(nodes: readonly OrgTreeNode[]): number {
  return nodes.reduce((sum, node) => sum + 1 + countNodes(node.children), 0);
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
