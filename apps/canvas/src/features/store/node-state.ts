import type { StreamEvent } from "@molecule/contracts/events";
import type { CanvasSnapshot, WorkspaceNode } from "@molecule/contracts/workspaces";

/** Where a card stands. `x` and `y` are relative to the parent's card, or to the canvas at the root. */
export interface Shape {
  readonly id: string;
  readonly parentId: string | null;
  readonly x: number;
  readonly y: number;
  readonly collapsed: boolean;
}

/** What the page knows of the organisation besides its nodes. */
export interface Organisation {
  readonly member: CanvasSnapshot["member"];
  readonly platform: CanvasSnapshot["platform"];
  readonly templates: CanvasSnapshot["templates"];
  readonly globalSecretKeys: readonly string[];
  readonly viewport: CanvasSnapshot["viewport"];
}

/** The live cache: data by id, and geometry apart from it so that an event re-renders one card. */
export interface NodeState {
  readonly byId: Readonly<Record<string, WorkspaceNode>>;
  /** Keeps its identity while no card moved, came or went. */
  readonly shapes: Readonly<Record<string, Shape>>;
  /** Cards whose position this page has changed and the server has not confirmed. */
  readonly held: Readonly<Record<string, number>>;
  /** Removed ids; an answer that was under way cannot bring one back. */
  readonly removed: ReadonlySet<string>;
  /** Null until the first snapshot. */
  readonly organisation: Organisation | null;
  /** Server time of the latest snapshot or event, ISO; null until the first snapshot. */
  readonly asOf: string | null;
}

export const EMPTY_NODE_STATE: NodeState = {
  byId: {},
  shapes: {},
  held: {},
  removed: new Set(),
  organisation: null,
  asOf: null,
};

function shapeOf(node: WorkspaceNode): Shape {
  const { id, parentId, x, y, collapsed } = node;
  return { id, parentId, x, y, collapsed };
}

function isSameShape(a: Shape | undefined, b: Shape): boolean {
  return (
    a !== undefined &&
    a.parentId === b.parentId &&
    a.x === b.x &&
    a.y === b.y &&
    a.collapsed === b.collapsed
  );
}

/** The state after a snapshot: exactly its nodes, except that newer ones and held positions stay. */
export function withSnapshot(state: NodeState, snapshot: CanvasSnapshot): NodeState {
  const byId: Record<string, WorkspaceNode> = {};
  const shapes: Record<string, Shape> = {};
  for (const incoming of snapshot.nodes) {
    if (incoming.status === "removed") continue;
    const known = state.byId[incoming.id];
    byId[incoming.id] =
      known !== undefined && known.revision > incoming.revision ? known : incoming;
    const kept = state.held[incoming.id] === undefined ? undefined : state.shapes[incoming.id];
    shapes[incoming.id] = kept ?? shapeOf(incoming);
  }
  const { member, platform, templates, globalSecretKeys, viewport } = snapshot;
  return {
    byId,
    shapes,
    held: state.held,
    removed: new Set(),
    organisation: { member, platform, templates, globalSecretKeys, viewport },
    asOf: snapshot.at,
  };
}

/** The state after events, in order. Identities of what did not change are kept. */
export function withEvents(state: NodeState, events: readonly StreamEvent[]): NodeState {
  let next = state;
  for (const event of events) {
    if (event.event === "WORKSPACE_REMOVED") next = withoutNodes(next, [event.workspace_id]);
    else if (event.node !== undefined) next = withNode(next, event.node);
  }
  const last = events[events.length - 1];
  return last === undefined ? next : { ...next, asOf: last.timestamp };
}

/** The state after one node arrived; an older revision or a removed id changes nothing. */
export function withNode(state: NodeState, node: WorkspaceNode): NodeState {
  if (node.status === "removed") return withoutNodes(state, [node.id]);
  if (state.removed.has(node.id)) return state;
  const known = state.byId[node.id];
  if (known !== undefined && known.revision > node.revision) return state;
  const byId = { ...state.byId, [node.id]: node };
  const shape = shapeOf(node);
  const isKept = state.held[node.id] !== undefined || isSameShape(state.shapes[node.id], shape);
  return isKept
    ? { ...state, byId }
    : { ...state, byId, shapes: { ...state.shapes, [node.id]: shape } };
}

/** The state without some nodes; their ids stay removed. */
export function withoutNodes(state: NodeState, ids: readonly string[]): NodeState {
  const byId = { ...state.byId };
  const shapes = { ...state.shapes };
  const removed = new Set(state.removed);
  for (const id of ids) {
    delete byId[id];
    delete shapes[id];
    removed.add(id);
  }
  return { ...state, byId, shapes, removed };
}

/** The state after this page moved cards; events do not move them back until {@link withReleased}. */
export function withHeld(state: NodeState, moved: readonly Shape[]): NodeState {
  const shapes = { ...state.shapes };
  const held = { ...state.held };
  for (const shape of moved) {
    shapes[shape.id] = shape;
    held[shape.id] = (held[shape.id] ?? 0) + 1;
  }
  return { ...state, shapes, held };
}

/**
 * The state after the server answered for moved cards. With `isSaved` their positions become the known
 * ones; without, they go back to where the server has them.
 */
export function withReleased(
  state: NodeState,
  ids: readonly string[],
  isSaved: boolean,
): NodeState {
  const held = { ...state.held };
  const shapes = { ...state.shapes };
  const byId = { ...state.byId };
  for (const id of ids) {
    const left = (held[id] ?? 1) - 1;
    if (left > 0) {
      held[id] = left;
      continue;
    }
    delete held[id];
    const node = byId[id];
    const shape = shapes[id];
    if (node === undefined || shape === undefined) continue;
    if (isSaved) {
      const { parentId, x, y, collapsed } = shape;
      byId[id] = { ...node, parentId, x, y, collapsed };
    } else shapes[id] = shapeOf(node);
  }
  return { ...state, held, shapes, byId };
}
