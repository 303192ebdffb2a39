"use client";
import clsx from "clsx";
import { ChevronRight } from "lucide-react";
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { matching } from "../graph/model/flow-graph.ts";
import { useRoute } from "../location/use-route.ts";
import { RUNTIME_LABELS } from "../status/model-label.ts";
import { StatusGlyph } from "../status/status-glyph.tsx";
import { statusView, taskCount } from "../status/status-view.ts";
import { useNodes } from "../store/node-store.tsx";
import { useUi, useUiStore } from "../store/ui-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import { type TreeRow, treeRows } from "./tree-rows.ts";

/** Every agent by team, in words: the canvas for those who do not see it, and the home of a phone. */
export function Tree({ isPage = false }: { isPage?: boolean }) {
  const byId = useNodes((state) => state.byId);
  const filter = useUi((state) => state.filter);
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState<string | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const rows = useMemo(
    () => treeRows(byId, folded, matching(byId, filter)),
    [byId, folded, filter],
  );
  const tabStop = rows.some((row) => row.node.id === current) ? current : rows[0]?.node.id;

  const fold = (id: string, isFolded: boolean) => {
    const next = new Set(folded);
    if (isFolded) next.add(id);
    else next.delete(id);
    setFolded(next);
  };
  const focusRow = (index: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (row === undefined) return;
    setCurrent(row.node.id);
    list.current
      ?.querySelector<HTMLElement>(`[data-tree-id="${CSS.escape(row.node.id)}"]`)
      ?.focus();
  };
  const onKeyDown = (event: KeyboardEvent, row: TreeRow, index: number) => {
    const move = keyMove(event.key, row, rows, index);
    if (move === null) return;
    event.preventDefault();
    event.stopPropagation();
    if (move.kind === "focus") focusRow(move.index);
    else fold(row.node.id, move.isFolded);
  };
  if (rows.length === 0) {
    return (
      <p className="px-3 py-6 text-center text-sm text-muted">
        {filter === "" ? "No agents yet." : "Nothing matches."}
      </p>
    );
  }
  return (
    <div ref={list} role="tree" aria-label="Agents" className="flex flex-col gap-px">
      {rows.map((row, index) => (
        <TreeItem
          key={row.node.id}
          row={row}
          isPage={isPage}
          isTabStop={row.node.id === tabStop}
          onFold={(isFolded) => fold(row.node.id, isFolded)}
          onKeyDown={(event) => onKeyDown(event, row, index)}
        />
      ))}
    </div>
  );
}

type Move = { kind: "focus"; index: number } | { kind: "fold"; isFolded: boolean };

/** What an arrow does in a tree, as assistive technology expects it. */
function keyMove(key: string, row: TreeRow, rows: readonly TreeRow[], index: number): Move | null {
  switch (key) {
    case "ArrowDown":
      return { kind: "focus", index: index + 1 };
    case "ArrowUp":
      return { kind: "focus", index: index - 1 };
    case "Home":
      return { kind: "focus", index: 0 };
    case "End":
      return { kind: "focus", index: rows.length - 1 };
    case "ArrowRight":
      if (!row.hasChildren) return null;
      return row.isFolded ? { kind: "fold", isFolded: false } : { kind: "focus", index: index + 1 };
    case "ArrowLeft": {
      if (row.hasChildren && !row.isFolded) return { kind: "fold", isFolded: true };
      const parent = rows.findIndex((each) => each.node.id === row.node.parentId);
      return parent === -1 ? null : { kind: "focus", index: parent };
    }
    default:
      return null;
  }
}

interface TreeItemProps {
  row: TreeRow;
  isPage: boolean;
  isTabStop: boolean;
  onFold: (isFolded: boolean) => void;
  onKeyDown: (event: KeyboardEvent) => void;
}

function TreeItem({ row, isPage, isTabStop, onFold, onKeyDown }: TreeItemProps) {
  const { node, level, hasChildren, isFolded } = row;
  const actions = useWorkspaceActions();
  const ui = useUiStore();
  const route = useRoute();
  const isOpen = route.kind === "workspace" && route.workspaceId === node.id;
  const status = statusView(node);
  const open = () => actions.open(node.id);
  const fold = <FoldMark {...{ hasChildren, isFolded, isPage, onFold }} />;
  return (
    <div
      role="treeitem"
      tabIndex={isTabStop ? 0 : -1}
      aria-level={level}
      aria-selected={isOpen}
      {...(hasChildren ? { "aria-expanded": !isFolded } : {})}
      data-tree-id={node.id}
      className={clsx(
        "flex min-w-0 items-center rounded-md pr-2 outline-offset-[-2px] hover:bg-hover",
        isPage ? "min-h-14 gap-3 text-md" : "h-8 gap-1.5 text-sm",
        isOpen && "bg-hover",
      )}
      style={{ paddingLeft: isPage ? (level - 1) * 24 + 12 : (level - 1) * 14 + 4 }}
      onClick={open}
      onContextMenu={(event) => {
        event.preventDefault();
        ui.setState({ menu: { id: node.id, x: event.clientX, y: event.clientY } });
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          open();
        } else onKeyDown(event);
      }}
    >
      {isPage ? null : fold}
      <StatusGlyph status={status} size={isPage ? 16 : 13} />
      <span className="min-w-0 flex-1">
        <span className={clsx("block truncate", isPage ? "font-medium text-ink" : "text-ink")}>
          {node.name}
        </span>
        {isPage ? (
          <span className="block truncate text-sm text-muted">
            {[
              status.word,
              taskCount(node),
              node.currentTask === "" ? RUNTIME_LABELS[node.runtime] : node.currentTask,
            ]
              .filter((part) => part !== null)
              .join(" · ")}
          </span>
        ) : null}
      </span>
      {isPage ? null : (
        <span className={status.tone === "online" ? "sr-only" : "shrink-0 text-xs text-muted"}>
          {status.word}
        </span>
      )}
      {isPage ? fold : null}
    </div>
  );
}

interface FoldMarkProps {
  hasChildren: boolean;
  isFolded: boolean;
  isPage: boolean;
  onFold: (isFolded: boolean) => void;
}

/** Folds with the pointer; the keyboard folds with the arrows, so this is hidden from it. */
function FoldMark({ hasChildren, isFolded, isPage, onFold }: FoldMarkProps) {
  if (!hasChildren) return isPage ? null : <span className="w-[18px] shrink-0" />;
  return (
    <span
      aria-hidden="true"
      className={clsx(
        "inline-flex shrink-0 items-center justify-center rounded text-muted hover:text-ink",
        isPage ? "-mr-1 size-11" : "h-7 w-[18px]",
      )}
      onClick={(event) => {
        event.stopPropagation();
        onFold(!isFolded);
      }}
    >
      <ChevronRight
        size={14}
        className={clsx("transition-transform duration-[120ms]", !isFolded && "rotate-90")}
      />
    </span>
  );
}
