import type { OrgImportView } from "@molecule/contracts/orgs";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";

type ImportNode = OrgImportView["nodes"][number];

/** What of an agent's import a person can do something about. */
export type Help = "retry" | "import-again" | null;

/** One agent of an import as it is now. */
export interface ProgressRow {
  readonly position: number;
  readonly level: number;
  readonly name: string;
  readonly path: string;
  readonly workspaceId: string | null;
  /** Its live node; null while it is not made, and after it was deleted. */
  readonly node: WorkspaceNode | null;
  /** In words, for those without a node, or beside its status. */
  readonly text: string | null;
  /** Made, and its turn to start has not come: the platform starts a few at a time. */
  readonly isWaiting: boolean;
  readonly isProblem: boolean;
  readonly help: Help;
  /** Keys it lacks. */
  readonly missing: readonly string[];
}

/** The rows of an import, fresher than its answer: an agent that is made speaks for itself. */
export function progressRows(
  view: Pick<OrgImportView, "nodes" | "state">,
  byId: Readonly<Record<string, WorkspaceNode>>,
): readonly ProgressRow[] {
  return view.nodes.map((one) => {
    const { position, level, name, path, workspaceId } = one;
    const node = workspaceId === null ? null : (byId[workspaceId] ?? null);
    const base = { position, level, name, path, workspaceId, node };
    const missing = node?.failure?.missing ?? (node?.status === "online" ? [] : one.missing);
    const isUp = node?.status === "online" || node?.status === "degraded";
    const isWaiting = one.isWaiting && node !== null && !isUp && node.status !== "failed";
    return { ...base, missing, isWaiting, ...stateOf(one, node, view.state) };
  });
}

function stateOf(
  one: ImportNode,
  node: WorkspaceNode | null,
  state: OrgImportView["state"],
): Pick<ProgressRow, "text" | "isProblem" | "help"> {
  switch (one.outcome) {
    case "planned":
      return state === "stopped"
        ? { text: "Not made: the import was broken off", isProblem: true, help: "import-again" }
        : { text: "Not made yet", isProblem: false, help: null };
    case "not_made":
      return { text: one.note ?? "Not made", isProblem: true, help: "import-again" };
    case "failed":
      return { text: one.note ?? "Could not be made", isProblem: true, help: "import-again" };
    case "left_out":
      return { text: one.note ?? "Left out", isProblem: true, help: null };
    case "exists":
    case "created":
      return madeState(one, node);
  }
}

function madeState(one: ImportNode, node: WorkspaceNode | null) {
  if (node === null) return { text: "Deleted since", isProblem: false, help: null } as const;
  if (node.status === "failed") {
    const text = node.failure?.sentence ?? "It did not start";
    return { text, isProblem: true, help: "retry" } as const;
  }
  const text = one.outcome === "exists" ? one.note : null;
  return { text, isProblem: false, help: null } as const;
}

/** The agents at the top of the import that stand still and can be started with all below them. */
export function startable(rows: readonly ProgressRow[]): readonly ProgressRow[] {
  const top = rows.filter(({ level }) => level === Math.min(...rows.map((row) => row.level)));
  return top.filter(({ node }) => node?.status === "paused");
}
