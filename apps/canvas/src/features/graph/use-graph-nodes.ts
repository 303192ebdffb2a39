"use client";
import { applyNodeChanges, type NodeChange, type OnNodeDrag } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useState } from "react";
import type { Shape } from "../store/node-state.ts";
import { useNodeStore, useNodes } from "../store/node-store.tsx";
import { useUiStore } from "../store/ui-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import { type CardNode, toFlowNodes } from "./model/flow-graph.ts";
import { absoluteRects, type LaidOut, layOut } from "./model/layout.ts";
import { type DropTarget, dropTargetOf, shapeAfterDrop } from "./model/nest.ts";
import { snap } from "./model/place.ts";

/** The drawn nodes and what dragging them does. Geometry only; no query is touched. */
export interface GraphNodes {
  readonly nodes: CardNode[];
  readonly items: readonly LaidOut[];
  /** Where the card under the pointer would go, when that is another team. */
  readonly slot: DropTarget | null;
  readonly onNodesChange: (changes: NodeChange<CardNode>[]) => void;
  readonly onNodeDrag: OnNodeDrag<CardNode>;
  readonly onNodeDragStop: OnNodeDrag<CardNode>;
}

/** The graph of everything, or of one team. */
export function useGraphNodes(scopeId: string | null): GraphNodes {
  const shapes = useNodes((state) => state.shapes);
  const items = useMemo(() => layOut(shapes, scopeId), [shapes, scopeId]);
  const [nodes, setNodes] = useState<CardNode[]>([]);
  useEffect(() => {
    setNodes((before) => [...toFlowNodes(items, new Map(before.map((node) => [node.id, node])))]);
  }, [items]);
  const onNodesChange = useCallback((changes: NodeChange<CardNode>[]) => {
    const relevant = changes.filter(
      (change) => change.type === "position" || change.type === "select",
    );
    if (relevant.length > 0) setNodes((before) => applyNodeChanges(relevant, before));
  }, []);
  return { nodes, items, onNodesChange, ...useDrop(items) };
}

function useDrop(items: readonly LaidOut[]) {
  const store = useNodeStore();
  const ui = useUiStore();
  const actions = useWorkspaceActions();
  const [slot, setSlot] = useState<DropTarget | null>(null);

  const onNodeDrag: OnNodeDrag<CardNode> = useCallback(
    (_event, node, dragged) => {
      if (dragged.length !== 1) return;
      const target = targetOf(node, items);
      const next = target?.isChange === true ? target : null;
      setSlot((before) => (isSameSlot(before, next) ? before : next));
      if (ui.getState().dropTargetId !== (next?.parentId ?? null)) {
        ui.setState({ dropTargetId: next?.parentId ?? null });
      }
    },
    [items, ui],
  );

  const onNodeDragStop: OnNodeDrag<CardNode> = useCallback(
    (_event, node, dragged) => {
      setSlot(null);
      ui.setState({ dropTargetId: null });
      const { shapes, byId } = store.getState();
      if (dragged.length > 1) {
        void actions.place(movedShapes(dragged, shapes));
        return;
      }
      const shape = shapes[node.id];
      const target = targetOf(node, items);
      if (shape === undefined || target === null) return;
      const to = shapeAfterDrop(shape, target);
      if (!target.isChange) {
        void actions.place([to]);
        return;
      }
      const team = target.parentId === null ? null : byId[target.parentId]?.name;
      const name = byId[node.id]?.name ?? "The agent";
      const message =
        team === null ? `${name} moved out of its team` : `${name} moved into ${team}`;
      void actions.move(to, { undo: shape, message });
    },
    [items, store, ui, actions],
  );
  return { slot, onNodeDrag, onNodeDragStop };
}

function targetOf(node: CardNode, items: readonly LaidOut[]): DropTarget | null {
  const item = items.find((each) => each.id === node.id);
  if (item === undefined) return null;
  const parent = item.parentId === null ? undefined : absoluteRects(items).get(item.parentId);
  const { width, height } = item;
  const box = {
    x: node.position.x + (parent?.x ?? 0),
    y: node.position.y + (parent?.y ?? 0),
    width,
    height,
  };
  return dropTargetOf({ id: node.id, items, box });
}

function movedShapes(
  dragged: readonly CardNode[],
  shapes: Readonly<Record<string, Shape>>,
): Shape[] {
  return dragged.flatMap((node) => {
    const shape = shapes[node.id];
    return shape === undefined
      ? []
      : [{ ...shape, x: snap(node.position.x), y: snap(node.position.y) }];
  });
}

function isSameSlot(a: DropTarget | null, b: DropTarget | null): boolean {
  return a?.parentId === b?.parentId && a?.slot.x === b?.slot.x && a?.slot.y === b?.slot.y;
}
