import type { EnvNeed } from "@molecule/domain/env-need";
import { loadOrgTemplates } from "@molecule/templates/load-org-templates";
import { countNodes } from "@molecule/templates/org-template";
import type { Deps } from "../../deps.ts";

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
