import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { describe, expect, it } from "vitest";
import { treeRows } from "./tree-rows.ts";

function nodes(...list: [id: string, parentId: string | null][]): Record<string, WorkspaceNode> {
  return Object.fromEntries(
    list.map(([id, parentId]) => [id, { id, name: id, parentId } as WorkspaceNode]),
  );
}
const tree = nodes(["b", null], ["a", null], ["a2", "a"], ["a1", "a"], ["deep", "a1"]);
const shown = (folded: string[] = [], matches: string[] | null = null) =>
  treeRows(tree, new Set(folded), matches === null ? null : new Set(matches)).map(
    ({ node, level }) => `${level}${node.id}`,
  );

describe("the tree", () => {
  it("lists each team before what is in it, siblings by name", () => {
    expect(shown()).toEqual(["1a", "2a1", "3deep", "2a2", "1b"]);
  });

  it("hides what is below a folded team", () => {
    expect(shown(["a1"])).toEqual(["1a", "2a1", "2a2", "1b"]);
  });

  it("keeps the way to a match, also through folded teams", () => {
    expect(shown(["a"], ["deep"])).toEqual(["1a", "2a1", "3deep"]);
  });

  it("shows an agent at the root when its team is not there", () => {
    expect(treeRows(nodes(["x", "gone"]), new Set(), null)).toHaveLength(1);
  });
});
