"use client";
import { Background, BackgroundVariant, ReactFlow, ReactFlowProvider } from "@xyflow/react";
import { type MouseEvent, useEffect, useMemo } from "react";
import { openWorkspaceOf, scopeOf } from "../location/route.ts";
import { useRoutePart } from "../location/use-route.ts";
import { useNodes } from "../store/node-store.tsx";
import { useUi, useUiStore } from "../store/ui-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import { AgentCard } from "./agent-card.tsx";
import { useCanvasHandle } from "./canvas-handle.ts";
import { DetailLevelProvider } from "./detail-level.tsx";
import { DropSlot } from "./drop-slot.tsx";
import { EmphasisContext } from "./emphasis.ts";
import { type CardNode, matching } from "./model/flow-graph.ts";
import { absoluteRects } from "./model/layout.ts";
import { nearestInDirection } from "./model/nearest.ts";
import { TeamFrame } from "./team-frame.tsx";
import { useCamera } from "./use-camera.ts";
import { useGraphNodes } from "./use-graph-nodes.ts";
import { ZoomCorner } from "./zoom-corner.tsx";

const NODE_TYPES = { card: AgentCard, team: TeamFrame };
/** From here on only what is in view is in the document. */
const VIRTUAL_FROM = 40;

/** The organisation as cards. */
export function Canvas() {
  return (
    <ReactFlowProvider>
      <DetailLevelProvider>
        <Flow />
      </DetailLevelProvider>
    </ReactFlowProvider>
  );
}

function Flow() {
  const ui = useUiStore();
  const actions = useWorkspaceActions();
  const scopeId = useRoutePart(scopeOf);
  const openId = useRoutePart(openWorkspaceOf);
  const graph = useGraphNodes(scopeId);
  const camera = useCamera(graph.items, openId, scopeId);
  useCanvasPort(graph.items, camera);
  const filter = useUi((state) => state.filter);
  const byId = useNodes((state) => (filter === "" ? null : state.byId));
  const emphasis = useMemo(
    () => ({ openId, matches: byId === null ? null : matching(byId, filter) }),
    [openId, byId, filter],
  );
  const onNodeContextMenu = (event: MouseEvent, node: CardNode) => {
    event.preventDefault();
    ui.setState({ menu: { id: node.id, x: event.clientX, y: event.clientY } });
  };
  return (
    <EmphasisContext value={emphasis}>
      <ReactFlow<CardNode>
        nodes={graph.nodes}
        nodeTypes={NODE_TYPES}
        onNodesChange={graph.onNodesChange}
        onNodeDrag={graph.onNodeDrag}
        onNodeDragStop={graph.onNodeDragStop}
        onNodeClick={(_event, node) => actions.open(node.id)}
        onNodeDoubleClick={(_event, node) => {
          if (node.data.kind === "team") actions.enterTeam(node.id);
        }}
        onNodeContextMenu={onNodeContextMenu}
        onPaneClick={() => ui.setState({ selectedId: null })}
        onMoveEnd={camera.onMoveEnd}
        onlyRenderVisibleElements={graph.items.length >= VIRTUAL_FROM}
        nodesFocusable={false}
        nodesConnectable={false}
        edgesFocusable={false}
        disableKeyboardA11y
        deleteKeyCode={null}
        zoomOnDoubleClick={false}
        panOnScroll
        nodeDragThreshold={4}
        minZoom={0.1}
        maxZoom={1.6}
        attributionPosition="bottom-right"
        proOptions={{ hideAttribution: true }}
        aria-label="Canvas"
      >
        <Background
          variant={BackgroundVariant.Dots}
          gap={24}
          size={1.5}
          color="var(--dots)"
          bgColor="var(--page)"
        />
        {graph.slot === null ? null : <DropSlot target={graph.slot} />}
        <ZoomCorner onFit={camera.fitAll} />
      </ReactFlow>
    </EmphasisContext>
  );
}

/** Lets keys and commands outside the canvas reach its camera and its geometry. */
function useCanvasPort(
  items: ReturnType<typeof useGraphNodes>["items"],
  camera: Pick<ReturnType<typeof useCamera>, "reveal" | "fitAll" | "centre">,
): void {
  const handle = useCanvasHandle();
  const { reveal, fitAll, centre } = camera;
  useEffect(() => {
    handle.current = {
      reveal,
      fitAll,
      centre,
      nearest: (id, direction) => nearestInDirection(id, direction, absoluteRects(items)),
      order: () => items.map((item) => item.id),
    };
    return () => {
      handle.current = null;
    };
  }, [handle, items, reveal, fitAll, centre]);
}
