import type { CanvasSnapshot, WorkspaceNode } from "@molecule/contracts/workspaces";
import { describe, expect, it } from "vitest";
import {
  EMPTY_NODE_STATE,
  withEvents,
  withHeld,
  withNode,
  withoutNodes,
  withReleased,
  withSnapshot,
} from "./node-state.ts";

function node(id: string, more: Partial<WorkspaceNode> = {}): WorkspaceNode {
  return {
    id,
    parentId: null,
    status: "online",
    x: 0,
    y: 0,
    collapsed: false,
    revision: 1,
    ...more,
  } as WorkspaceNode;
}

function snapshot(nodes: WorkspaceNode[]): CanvasSnapshot {
  return { cursor: "1", at: "2030-01-01T00:00:00Z", nodes } as unknown as CanvasSnapshot;
}

const event = (workspaceNode: WorkspaceNode) => ({
  event: "WORKSPACE_UPDATED" as const,
  workspace_id: workspaceNode.id,
  timestamp: "2030-01-01T00:00:01Z",
  payload: {},
  node: workspaceNode,
});

const two = withSnapshot(EMPTY_NODE_STATE, snapshot([node("a"), node("b")]));

describe("the node cache", () => {
  it("never replaces a node with an older revision", () => {
    const state = withNode(two, node("a", { revision: 5, name: "new" }));
    expect(withNode(state, node("a", { revision: 4, name: "old" }))).toBe(state);
    expect(withSnapshot(state, snapshot([node("a", { revision: 4 })])).byId.a?.name).toBe("new");
  });

  it("keeps the geometry's identity when an event moves no card", () => {
    const state = withEvents(two, [event(node("a", { revision: 2, currentTask: "reading" }))]);
    expect(state.shapes).toBe(two.shapes);
    expect(state.byId.b).toBe(two.byId.b);
  });

  it("does not bring a removed node back from an answer that was under way", () => {
    const state = withoutNodes(two, ["a"]);
    expect(withNode(state, node("a", { revision: 9 })).byId.a).toBeUndefined();
  });

  it("shows a moved card at its new place while the server still has the old one", () => {
    const moved = { id: "a", parentId: null, x: 50, y: 60, collapsed: false };
    const state = withNode(withHeld(two, [moved]), node("a", { revision: 2 }));
    expect(state.shapes.a).toEqual(moved);
    expect(withReleased(state, ["a"], true).byId.a).toMatchObject({ x: 50, y: 60 });
  });

  it("puts a card back when its move was refused", () => {
    const held = withHeld(two, [{ id: "a", parentId: "b", x: 50, y: 60, collapsed: false }]);
    expect(withReleased(held, ["a"], false).shapes.a).toMatchObject({ parentId: null, x: 0 });
  });

  it("keeps the place of the last move when two are under way", () => {
    const first = withHeld(two, [{ id: "a", parentId: null, x: 1, y: 1, collapsed: false }]);
    const second = withHeld(first, [{ id: "a", parentId: null, x: 2, y: 2, collapsed: false }]);
    expect(withReleased(second, ["a"], true).shapes.a).toMatchObject({ x: 2 });
  });

  it("drops nodes that a snapshot no longer has", () => {
    expect(Object.keys(withSnapshot(two, snapshot([node("b")])).byId)).toEqual(["b"]);
  });
});
