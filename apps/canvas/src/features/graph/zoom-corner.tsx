"use client";
import { MiniMap, Panel, useReactFlow, useStore } from "@xyflow/react";
import { Map as MapIcon, Maximize, Minus, Plus } from "lucide-react";
import { useState } from "react";
import { IconButton } from "../../ui/button.tsx";
import { toneValue } from "../status/status-glyph.tsx";
import { statusView } from "../status/status-view.ts";
import { useNodeStore } from "../store/node-store.tsx";
import type { CardNode } from "./model/flow-graph.ts";

const CAMERA = { duration: 180 };

/** Zoom and overview, together in one corner. */
export function ZoomCorner({ onFit }: { onFit: () => void }) {
  const flow = useReactFlow();
  const [isMapOpen, setIsMapOpen] = useState(false);
  const percent = useStore((state) => Math.round(state.transform[2] * 100));
  return (
    <Panel position="bottom-left" className="!m-3 flex flex-col items-start gap-2">
      {isMapOpen ? <Overview /> : null}
      <div className="flex items-center gap-0.5 rounded-lg border border-line-strong bg-card p-0.5 shadow-card">
        <IconButton label="Zoom out" size="sm" onClick={() => void flow.zoomOut(CAMERA)}>
          <Minus size={14} aria-hidden="true" />
        </IconButton>
        <span className="w-10 text-center text-xs text-muted">
          <span className="sr-only">Zoom </span>
          {percent}%
        </span>
        <IconButton label="Zoom in" size="sm" onClick={() => void flow.zoomIn(CAMERA)}>
          <Plus size={14} aria-hidden="true" />
        </IconButton>
        <span className="mx-0.5 h-4 w-px bg-line-strong" />
        <IconButton label="Show everything" keys="Shift+1" size="sm" onClick={onFit}>
          <Maximize size={14} aria-hidden="true" />
        </IconButton>
        <IconButton
          label={isMapOpen ? "Hide the overview" : "Show the overview"}
          size="sm"
          aria-pressed={isMapOpen}
          onClick={() => setIsMapOpen(!isMapOpen)}
        >
          <MapIcon size={14} aria-hidden="true" />
        </IconButton>
      </div>
    </Panel>
  );
}

function Overview() {
  const store = useNodeStore();
  const fill = (card: CardNode) => {
    const node = store.getState().byId[card.id];
    if ((card.data.kind === "team" && card.data.hiddenCount === 0) || node === undefined)
      return "var(--hover)";
    return toneValue(statusView(node).tone);
  };
  return (
    <MiniMap<CardNode>
      className="!static !m-0 overflow-hidden rounded-lg border border-line-strong !bg-card shadow-card"
      style={{ width: 200, height: 132 }}
      nodeColor={fill}
      nodeStrokeWidth={0}
      nodeBorderRadius={16}
      maskColor="color-mix(in srgb, var(--ink) 9%, transparent)"
      ariaLabel="Overview of the canvas"
      pannable
      zoomable
    />
  );
}
