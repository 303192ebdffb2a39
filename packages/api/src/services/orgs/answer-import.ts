import { listOrgNodes } from "@molecule/db/orgs/org-imports";
import { DomainError } from "@molecule/domain/errors";
import type { Deps } from "../../deps.ts";
import type { PlannedTeam } from "./plan-import.ts";

/** What was not made is named up to this many. */
const NAMED = 5;

/**
 * The contract's answer to `POST /org/import` (§11.2): 201 when every agent is there, 207 with the names of
 * those that are not. @throws DomainError `internal` when none is there.
 */
export async function answerImport(
  deps: Deps,
  { wish, plan }: PlannedTeam,
  importId: string,
): Promise<{ readonly status: 201 | 207; readonly body: object }> {
  const rows = await listOrgNodes(deps.db, [importId]);
  const workspaces = rows.flatMap(({ position, name, path, workspaceId, outcome }) => {
    if (workspaceId === null) return [];
    const payload = plan.nodes[position]?.wish.payload;
    const channels = payload?.channelCount ?? 0;
    return [
      {
        id: workspaceId,
        name,
        path,
        tier: payload?.prepared.draft.tier ?? 0,
        created: outcome === "created",
        ...(channels === 0 ? {} : { channels: 0, channels_skipped: channels }),
      },
    ];
  });
  const absent = rows.filter(({ workspaceId }) => workspaceId === null);
  if (workspaces.length === 0) {
    throw new DomainError("internal", "Nothing of this team could be made.", {
      next: "Look for the import's id in the server's log, and import the team again.",
      details: { import_id: importId },
    });
  }
  const body = {
    org: wish.bundle.org.name,
    workspaces,
    count: workspaces.length,
    created: workspaces.filter(({ created }) => created).length,
    import_id: importId,
    staged: wish.isStaged,
  };
  if (absent.length === 0) return { status: 201, body };
  const named = absent.slice(0, NAMED).map(({ path, note }) => `“${path}”: ${note ?? "not made."}`);
  const more = absent.length > NAMED ? ` And ${absent.length - NAMED} more.` : "";
  return {
    status: 207,
    body: {
      ...body,
      error: `${absent.length} of ${rows.length} agents were not made. ${named.join(" ")}${more}`,
      not_made: absent.map(({ path, outcome, note }) => ({ path, outcome, error: note })),
    },
  };
}
