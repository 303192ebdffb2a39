import type { OrgTemplateView } from "@molecule/contracts/orgs";
import { type EnvNeed, keysOfNeed } from "@molecule/domain/env-need";
import { loadOrgTemplates } from "@molecule/templates/load-org-templates";
import { countNodes } from "@molecule/templates/org-template";
import type { Deps } from "../../deps.ts";

/** The teams as a person sees them, broken ones with their cause. */
export async function listOrgTemplates(deps: Deps): Promise<OrgTemplateView[]> {
  return (await loadOrgTemplates(deps.orgTemplatesDir)).map((entry) => {
    if (entry.kind === "broken") {
      const { dir, cause } = entry;
      const nothing = { description: "", workspaces: 0, requiredEnv: [], recommendedEnv: [] };
      return { dir, name: dir, ...nothing, broken: cause };
    }
    const { dir, org } = entry;
    const lists = (needs: readonly EnvNeed[]) => needs.map((need) => [...keysOfNeed(need)]);
    return {
      dir,
      name: org.name,
      description: org.description,
      workspaces: countNodes(org.workspaces),
      requiredEnv: lists(org.requiredEnv),
      recommendedEnv: lists(org.recommendedEnv),
      broken: null,
    };
  });
}

/** One row of `GET /org/templates`. Source: wire contract §11.2. */
export interface OrgTemplateRow {
  readonly dir: string;
  readonly name: string;
  readonly description: string;
  /** Agents in it, on every level. */
  readonly workspaces: number;
  readonly required_env: readonly EnvNeed[];
  readonly recommended_env: readonly EnvNeed[];
}

/** The teams as scripts see them; broken ones are left out and logged. */
export async function listOrgTemplateRows(deps: Deps): Promise<OrgTemplateRow[]> {
  return (await loadOrgTemplates(deps.orgTemplatesDir)).flatMap((entry) => {
    if (entry.kind === "broken") {
      deps.log.warn({ folder: entry.dir, cause: entry.cause }, "a team is not usable");
      return [];
    }
    const { name, description, requiredEnv, recommendedEnv, workspaces } = entry.org;
    return [
      {
        dir: entry.dir,
        name,
        description,
        workspaces: countNodes(workspaces),
        required_env: requiredEnv,
        recommended_env: recommendedEnv,
      },
    ];
  });
}
