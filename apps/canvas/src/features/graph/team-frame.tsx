"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { TEAM_HEADER } from "@molecule/domain/free-place";
import type { NodeProps } from "@xyflow/react";
import clsx from "clsx";
import { ChevronsDownUp, ChevronsUpDown } from "lucide-react";
import { memo } from "react";
import { CardLineView } from "../status/card-line-view.tsx";
import { StatusGlyph } from "../status/status-glyph.tsx";
import { statusView, TONES, type Tone } from "../status/status-view.ts";
import { useNode, useNodeStore, useNodesShallow } from "../store/node-store.tsx";
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
import { type CardNode, TEAM_HANDLE } from "./model/flow-graph.ts";
import { withDescendants } from "./model/nest.ts";

/** An agent with others under it: its own card as a header, its team inside the frame. */
export const TeamFrame = memo(function TeamFrame({ id, selected, data }: NodeProps<CardNode>) {
  const node = useNode(id);
  const level = useDetailLevel();
  const { isOpen, isMarked, isDimmed, isTarget } = useCardEmphasis(id, selected);
  if (node === undefined) return null;
  const isFolded = data.hiddenCount > 0;
  return (
    <div
      className={clsx(
        "h-full w-full rounded-2xl border bg-[var(--team)] transition-opacity duration-[120ms]",
        isMarked || isTarget ? "border-focus" : "border-line-strong",
        isTarget && "border-dashed",
        isDimmed && "opacity-30",
      )}
    >
      <article
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a card is one tab stop; Enter opens it and the arrows go on
        tabIndex={0}
        aria-label={`${cardName(node)}, leads a team`}
        aria-current={isOpen || undefined}
        data-card-id={id}
        data-testid="agent-card"
        style={{ height: TEAM_HEADER - 2 }}
        className={clsx(
          TEAM_HANDLE,
          "group/card pointer-events-auto flex flex-col rounded-t-[15px] bg-card px-3.5 pt-2.5 pb-2.5 select-none",
          isFolded ? "rounded-b-[15px]" : "border-b",
        )}
      >
        {level === "full" ? (
          <FullHeader node={node} isFolded={isFolded} />
        ) : (
          <SmallHeader node={node} level={level} />
        )}
      </article>
    </div>
  );
});

function FullHeader({ node, isFolded }: { node: WorkspaceNode; isFolded: boolean }) {
  const actions = useWorkspaceActions();
  return (
    <>
      <div className="flex items-center gap-1.5">
        <CardTitle node={node} />
        <WaitingForRemoval node={node} />
        <TeamCounts id={node.id} />
        <FoldButton node={node} isFolded={isFolded} />
        <CardMenuButton id={node.id} />
      </div>
      <div className="mt-0.5 flex min-w-0 items-center gap-1 pl-[22px] text-xs">
        <StatusWords node={node} className="shrink-0" />
        <span className="text-muted" aria-hidden="true">
          ·
        </span>
        <ModelLine node={node} isShort={isFolded} />
      </div>
      <div className="mt-auto">
        <CardLineView node={node} actions={actions} lines={1} />
      </div>
    </>
  );
}

function SmallHeader({ node, level }: { node: WorkspaceNode; level: "brief" | "tile" }) {
  const isTile = level === "tile";
  return (
    <div className="flex h-full min-w-0 items-center gap-3">
      <StatusGlyph status={statusView(node)} size={isTile ? 34 : 22} isStill />
      <span
        className={clsx(
          "truncate font-semibold text-ink",
          isTile ? "text-[32px] leading-10" : "text-[20px] leading-7",
        )}
      >
        {node.name}
      </span>
    </div>
  );
}

/** How many agents below are in which state; only states that occur. */
function TeamCounts({ id }: { id: string }) {
  const counts = useNodesShallow((state) => {
    const below = withDescendants(id, Object.values(state.shapes));
    const found: Record<string, number> = {};
    for (const each of below) {
      const node = state.byId[each];
      if (each === id || node === undefined) continue;
      const { tone } = statusView(node);
      found[tone] = (found[tone] ?? 0) + 1;
    }
    return found;
  });
  return (
    <span className="flex shrink-0 items-center gap-2 px-1 text-xs text-muted">
      {TONES.filter((tone: Tone) => counts[tone] !== undefined).map((tone) => (
        <span key={tone} className="flex items-center gap-1" title={`${counts[tone]} ${tone}`}>
          <StatusGlyph status={{ tone, isBusy: false }} size={11} isStill />
          {counts[tone]}
          <span className="sr-only"> {tone}</span>
        </span>
      ))}
    </span>
  );
}

function FoldButton({ node, isFolded }: { node: WorkspaceNode; isFolded: boolean }) {
  const actions = useWorkspaceActions();
  const store = useNodeStore();
  const Icon = isFolded ? ChevronsUpDown : ChevronsDownUp;
  return (
    <button
      type="button"
      tabIndex={-1}
      aria-label={isFolded ? "Unfold the team" : "Fold the team"}
      aria-expanded={!isFolded}
      className="nodrag nopan -my-1 inline-flex size-7 shrink-0 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-ink"
      onClick={(event) => {
        event.stopPropagation();
        const shape = store.getState().shapes[node.id];
        if (shape !== undefined) void actions.place([{ ...shape, collapsed: !isFolded }]);
      }}
    >
      <Icon size={14} aria-hidden="true" />
    </button>
  );
}
