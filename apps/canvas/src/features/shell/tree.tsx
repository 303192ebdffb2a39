"use client";
import clsx from "clsx";
import { ChevronRight } from "lucide-react";
import { type KeyboardEvent, memo, useCallback, useMemo, useState } from "react";
import { matching } from "../graph/model/flow-graph.ts";
import { openWorkspaceOf } from "../location/route.ts";
import { useRoutePart } from "../location/use-route.ts";
import { RUNTIME_LABELS } from "../status/model-label.ts";
import { StatusGlyph } from "../status/status-glyph.tsx";
import { statusView, taskCount } from "../status/status-view.ts";
import { useNodes } from "../store/node-store.tsx";
import { useUi, useUiStore } from "../store/ui-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import { type TreeRow, treeRows } from "./tree-rows.ts";
import { useLines } from "./use-lines.ts";

/** Height of a line with its gap, in px, in the rail and as a page. */
const LINE_PX = { rail: 33, page: 57 } as const;

/** Every agent by team, in words: the canvas for those who do not see it, and the home of a phone. */
export function Tree({ isPage = false }: { isPage?: boolean }) {
  const byId = useNodes((state) => state.byId);
  const filter = useUi((state) => state.filter);
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState<string | null>(null);
  const rows = useMemo(
    () => treeRows(byId, folded, matching(byId, filter)),
    [byId, folded, filter],
  );
  const lines = useLines(rows.length, isPage ? LINE_PX.page : LINE_PX.rail);
  const tabStop = rows.some((row) => row.node.id === current) ? current : rows[0]?.node.id;

  const fold = useCallback((id: string, isFolded: boolean) => {
    setFolded((before) => {
      const next = new Set(before);
      if (isFolded) next.add(id);
      else next.delete(id);
      return next;
    });
  }, []);
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const id = event.target instanceof HTMLElement ? event.target.dataset.treeId : undefined;
    const index = rows.findIndex((row) => row.node.id === id);
    const row = rows[index];
    const move = row === undefined ? null : keyMove(event.key, row, rows, index);
    if (row === undefined || move === null) return;
    event.preventDefault();
    event.stopPropagation();
    if (move.kind === "fold") return fold(row.node.id, move.isFolded);
    const to = Math.max(0, Math.min(rows.length - 1, move.index));
    setCurrent(rows[to]?.node.id ?? null);
    lines.focus(to);
  };
  if (rows.length === 0) {
    return (
      <p className="px-3 py-6 text-center text-sm text-muted">
        {filter === "" ? "No agents yet." : "Nothing matches."}
      </p>
    );
  }
  return (
    <div
      ref={lines.list}
      role="tree"
      aria-label="Agents"
      className="flex flex-col gap-px"
      style={{ paddingTop: lines.before, paddingBottom: lines.after }}
      onKeyDown={onKeyDown}
    >
      {rows.slice(lines.from, lines.to).map(({ node, level, hasChildren, isFolded }, offset) => (
        <TreeItem
          key={node.id}
          {...{ node, level, hasChildren, isFolded, isPage }}
          isTabStop={node.id === tabStop}
          index={lines.from + offset}
          count={rows.length}
          onFold={fold}
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

interface TreeItemProps extends TreeRow {
  isPage: boolean;
  isTabStop: boolean;
  /** Place among all lines, also those that are not drawn. */
  index: number;
  count: number;
  onFold: (id: string, isFolded: boolean) => void;
}

/** One line; renders again only when its own agent or place changed. */
const TreeItem = memo(function TreeItem(props: TreeItemProps) {
  const { node, level, hasChildren, isFolded, isPage, isTabStop, index, count, onFold } = props;
  const actions = useWorkspaceActions();
  const ui = useUiStore();
  const isOpen = useRoutePart((route) => openWorkspaceOf(route) === node.id);
  const status = statusView(node);
  const open = () => actions.open(node.id);
  const fold = (
    <FoldMark {...{ hasChildren, isFolded, isPage }} onFold={(next) => onFold(node.id, next)} />
  );
  return (
    <div
      role="treeitem"
      tabIndex={isTabStop ? 0 : -1}
      aria-level={level}
      aria-selected={isOpen}
      aria-posinset={index + 1}
      aria-setsize={count}
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
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        open();
      }}
    >
      {isPage ? null : fold}
      <StatusGlyph status={status} size={isPage ? 16 : 13} isStill />
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
});

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
