"use client";
import { ViewportPortal } from "@xyflow/react";
import type { DropTarget } from "./model/nest.ts";

/** The dashed place that a dragged card would take in another team. */
export function DropSlot({ target }: { target: DropTarget }) {
  const { x, y, width, height } = target.slot;
  return (
    <ViewportPortal>
      <div
        aria-hidden="true"
        className="pointer-events-none absolute animate-fade rounded-xl border-2 border-dashed border-focus bg-tint"
        style={{ transform: `translate(${x}px, ${y}px)`, width, height, zIndex: 500 }}
      />
    </ViewportPortal>
  );
}
