import type { OrgImportHead, OrgImportView } from "@molecule/contracts/orgs";
import {
  listOrgImports,
  listOrgNodes,
  type OrgImportRow,
  type OrgNodeRow,
  readOrgImport,
} from "@molecule/db/orgs/org-imports";
import { DomainError } from "@molecule/domain/errors";
import type { Deps } from "../../deps.ts";

/** Imports that are listed. */
const LISTED = 20;

/** One import with its agents as they are now. @throws DomainError `not_found`. */
export async function viewImport(deps: Deps, id: string): Promise<OrgImportView> {
  const row = await readOrgImport(deps.db, id);
  if (row === null) throw new DomainError("not_found", "There is no such import.");
  const nodes = await listOrgNodes(deps.db, [id]);
  return { ...headOf(row, nodes), nodes: nodes.map(viewNode) };
}

/** The latest imports, newest first. */
export async function viewImports(deps: Deps): Promise<OrgImportHead[]> {
  const rows = await listOrgImports(deps.db, LISTED);
  const nodes = await listOrgNodes(
    deps.db,
    rows.map(({ id }) => id),
  );
  return rows.map((row) =>
    headOf(
      row,
      nodes.filter(({ importId }) => importId === row.id),
    ),
  );
}

function headOf(row: OrgImportRow, nodes: readonly OrgNodeRow[]): OrgImportHead {
  const counts = countNodes(nodes);
  return {
    id: row.id,
    org: row.org,
    actor: row.actorName,
    staged: row.staged,
    createdAt: row.createdAt.toISOString(),
    endedAt: row.endedAt?.toISOString() ?? null,
    state: row.state,
    sentence: tell(counts),
    counts,
  };
}

function viewNode(node: OrgNodeRow): OrgImportView["nodes"][number] {
  const { position, parent, level, name, path, outcome, note, workspaceId, status } = node;
  return {
    position,
    parent,
    level,
    name,
    path,
    outcome,
    note,
    workspaceId,
    status,
    isWaiting: standingOf(node) === "waiting",
    missing: [...(node.failure?.missing ?? [])],
  };
}

type Standing = "online" | "starting" | "waiting" | "failedStart" | "resting";

/** Where one that the import made is now. */
function standingOf({ outcome, status, phase, releasedAt }: OrgNodeRow): Standing | null {
  if (outcome !== "created") return null;
  const rests = phase === "NEW" || phase === "PAUSED";
  switch (status) {
    case "online":
    case "degraded":
      return "online";
    case "failed":
      return "failedStart";
    case "provisioning":
      return rests && releasedAt === null ? "waiting" : "starting";
    case "offline":
      return "starting";
    default:
      return "resting";
  }
}

function countNodes(nodes: readonly OrgNodeRow[]): OrgImportHead["counts"] {
  const counts = {
    total: nodes.length,
    created: 0,
    exists: 0,
    leftOut: 0,
    failed: 0,
    notMade: 0,
    planned: 0,
    online: 0,
    starting: 0,
    waiting: 0,
    failedStart: 0,
    resting: 0,
  };
  for (const node of nodes) {
    counts[COUNTED[node.outcome]] += 1;
    const standing = standingOf(node);
    if (standing !== null) counts[standing] += 1;
  }
  return counts;
}

const COUNTED = {
  planned: "planned",
  created: "created",
  exists: "exists",
  left_out: "leftOut",
  failed: "failed",
  not_made: "notMade",
} as const;

function tell(counts: OrgImportHead["counts"]): string {
  const part = (count: number, word: string) => (count === 0 ? [] : [`${count} ${word}`]);
  const made = [
    `${counts.created} of ${counts.total} agents made`,
    ...part(counts.exists, "there before"),
    ...part(counts.leftOut, "left out"),
    ...part(counts.failed, "failed"),
    ...part(counts.notMade, "not made"),
    ...part(counts.planned, "to be made"),
  ].join(", ");
  const started = [
    ...part(counts.online, "online"),
    ...part(counts.starting, "starting"),
    ...part(counts.waiting, "waiting for their turn"),
    ...part(counts.failedStart, "not started"),
    ...part(counts.resting, "at rest"),
  ].join(", ");
  return started === "" ? `${made}.` : `${made}; ${started}.`;
}
