import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import type { Node } from "@xyflow/react";
import type { LaidOut } from "./layout.ts";

/** What a card on the canvas is told by its geometry; everything else it reads from the store by id. */
export interface CardData extends Record<string, unknown> {
  readonly kind: LaidOut["kind"];
  readonly hiddenCount: number;
}
export type CardNode = Node<CardData, "card" | "team">;

/** Class of the part of a team that drags it; the rest lets the pointer through to the canvas. */
export const TEAM_HANDLE = "team-handle";

/** The drawn nodes of a layout; a node whose geometry did not change keeps its identity. */
export function toFlowNodes(
  items: readonly LaidOut[],
  before: ReadonlyMap<string, CardNode>,
): readonly CardNode[] {
  return items.map((item) => {
    const known = before.get(item.id);
    if (known === undefined) return toFlowNode(item);
    // A card under the pointer stays where the pointer has it.
    if (known.dragging === true || isSame(known, item)) return known;
    return { ...toFlowNode(item), selected: known.selected ?? false };
  });
}

function toFlowNode(item: LaidOut): CardNode {
  const { id, parentId, kind, hiddenCount, depth, x, y, width, height } = item;
  return {
    id,
    type: kind,
    position: { x, y },
    width,
    height,
    // Known beforehand, so that nothing has to be measured.
    measured: { width, height },
    zIndex: depth,
    ...(kind === "team" ? { dragHandle: `.${TEAM_HANDLE}`, style: { pointerEvents: "none" } } : {}),
    data: { kind, hiddenCount },
    ...(parentId === null ? {} : { parentId }),
  };
}

function isSame(node: CardNode, item: LaidOut): boolean {
  return (
    node.type === item.kind &&
    (node.parentId ?? null) === item.parentId &&
    node.position.x === item.x &&
    node.position.y === item.y &&
    node.width === item.width &&
    node.height === item.height &&
    node.data.hiddenCount === item.hiddenCount &&
    node.zIndex === item.depth
  );
}

/** Names that contain the filter's words, as ids; null when nothing is filtered. */
export function matching(
  byId: Readonly<Record<string, WorkspaceNode>>,
  filter: string,
): ReadonlySet<string> | null {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return null;
  const ids = Object.values(byId)
    .filter((node) => {
      const text = `${node.name} ${node.role ?? ""} ${node.status} ${node.runtime}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .map((node) => node.id);
  return new Set(ids);
}
