"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import type { NodeProps } from "@xyflow/react";
import clsx from "clsx";
import { memo } from "react";
import { CardLineView } from "../status/card-line-view.tsx";
import { StatusGlyph, tileColour } from "../status/status-glyph.tsx";
import { statusView } from "../status/status-view.ts";
import { useNode } from "../store/node-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import {
  CardMenuButton,
  CardTitle,
  cardName,
  ModelLine,
  StatusWords,
  WaitingForRemoval,
} from "./card-parts.tsx";
import { useDetailLevel } from "./detail-level.tsx";
import { useCardEmphasis } from "./emphasis.ts";
import type { CardNode } from "./model/flow-graph.ts";

/** One agent on the canvas. Reads its workspace from the store by id; an event renders only this card. */
export const AgentCard = memo(function AgentCard({ id, selected, dragging }: NodeProps<CardNode>) {
  const node = useNode(id);
  const level = useDetailLevel();
  const { isOpen, isMarked, isDimmed, isTarget } = useCardEmphasis(id, selected);
  if (node === undefined) return null;
  return (
    <article
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a card is one tab stop; Enter opens it and the arrows go on
      tabIndex={0}
      aria-label={cardName(node)}
      aria-current={isOpen || undefined}
      data-card-id={id}
      data-testid="agent-card"
      className={clsx(
        "group/card flex h-full w-full flex-col rounded-xl border transition-opacity duration-[120ms] select-none",
        cardEdge({ isMarked, isTarget, isDragging: dragging, isFlat: level !== "full" }),
        isDimmed && "opacity-30",
      )}
      style={level === "tile" ? { backgroundColor: tileColour(statusView(node).tone) } : undefined}
    >
      {level === "full" ? <FullFace node={node} /> : <SmallFace node={node} level={level} />}
    </article>
  );
});

/** Shadows are for cards near enough to see them: two hundred of them would make the camera stutter. */
function cardEdge(is: Record<"isMarked" | "isTarget" | "isDragging" | "isFlat", boolean>): string {
  if (is.isTarget) return "border-dashed border-focus bg-raised";
  if (is.isDragging) return "border-focus bg-card shadow-lift";
  if (is.isMarked) return "border-focus bg-card shadow-[0_0_0_1px_var(--focus)]";
  if (is.isFlat) return "border-line-strong bg-card";
  return "border-line-strong bg-card shadow-card hover:border-control";
}

function FullFace({ node }: { node: WorkspaceNode }) {
  const actions = useWorkspaceActions();
  const isFailure = node.status === "failed" || node.phase === "BACKOFF";
  return (
    <div className="flex h-full flex-col px-3 pt-2.5 pb-2.5">
      <div className="flex items-center gap-1.5">
        <CardTitle node={node} />
        <WaitingForRemoval node={node} />
        <CardMenuButton
          id={node.id}
          className="opacity-0 group-focus-within/card:opacity-100 group-hover/card:opacity-100"
        />
      </div>
      <div className="mt-0.5 flex min-w-0 items-center justify-between gap-2 pl-[22px] text-xs">
        <StatusWords node={node} className="shrink-0" />
        {isFailure ? <ModelLine node={node} className="justify-end" /> : null}
      </div>
      {isFailure ? null : <ModelLine node={node} className="mt-0.5 pl-[22px] text-xs" />}
      <div className="mt-auto">
        <CardLineView node={node} actions={actions} />
      </div>
    </div>
  );
}

/** Fewer and larger words, so that they can be read from further away. */
function SmallFace({ node, level }: { node: WorkspaceNode; level: "brief" | "tile" }) {
  const status = statusView(node);
  const isTile = level === "tile";
  return (
    <div className="flex h-full flex-col justify-center gap-1.5 px-4">
      <div className="flex min-w-0 items-center gap-3">
        <StatusGlyph status={status} size={isTile ? 34 : 22} isStill />
        <span
          className={clsx(
            "font-semibold text-ink",
            isTile
              ? "line-clamp-2 text-[32px] leading-[36px]"
              : "line-clamp-2 text-[20px] leading-[26px]",
          )}
        >
          {node.name}
        </span>
      </div>
      {isTile ? null : (
        <p className="truncate pl-[34px] text-[17px] leading-6 text-muted">
          <StatusWords node={node} />
          {node.currentTask === "" ? null : ` · ${node.currentTask}`}
        </p>
      )}
    </div>
  );
}
