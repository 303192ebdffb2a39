import type { WorkspaceNode } from "@molecule/contracts/workspaces";

/** `Team 2` stands before `Team 10`. */
const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** One visible line of the tree. */
export interface TreeRow {
  readonly node: WorkspaceNode;
  /** 1 at the root, as `aria-level` counts. */
  readonly level: number;
  readonly hasChildren: boolean;
  readonly isFolded: boolean;
}

/**
 * The visible lines, each team followed by what is in it, siblings by name. With `matches` only matching
 * agents and the way to them are there, and nothing is folded.
 */
export function treeRows(
  byId: Readonly<Record<string, WorkspaceNode>>,
  folded: ReadonlySet<string>,
  matches: ReadonlySet<string> | null,
): readonly TreeRow[] {
  const kept = matches === null ? null : withAncestors(matches, byId);
  const children = new Map<string | null, WorkspaceNode[]>();
  for (const node of Object.values(byId)) {
    if (kept !== null && !kept.has(node.id)) continue;
    const parentId =
      node.parentId !== null && byId[node.parentId] !== undefined ? node.parentId : null;
    const list = children.get(parentId);
    if (list === undefined) children.set(parentId, [node]);
    else list.push(node);
  }
  const rows: TreeRow[] = [];
  const visited = new Set<string>();
  const walk = (parentId: string | null, level: number) => {
    const members = [...(children.get(parentId) ?? [])].sort((a, b) =>
      byName.compare(a.name, b.name),
    );
    for (const node of members) {
      if (visited.has(node.id)) continue;
      visited.add(node.id);
      const hasChildren = children.has(node.id);
      const isFolded = kept === null && folded.has(node.id);
      rows.push({ node, level, hasChildren, isFolded });
      if (hasChildren && !isFolded) walk(node.id, level + 1);
    }
  };
  walk(null, 1);
  return rows;
}

function withAncestors(
  ids: ReadonlySet<string>,
  byId: Readonly<Record<string, WorkspaceNode>>,
): ReadonlySet<string> {
  const kept = new Set(ids);
  for (const id of ids) {
    let parentId = byId[id]?.parentId ?? null;
    while (parentId !== null && !kept.has(parentId)) {
      kept.add(parentId);
      parentId = byId[parentId]?.parentId ?? null;
    }
  }
  return kept;
}
