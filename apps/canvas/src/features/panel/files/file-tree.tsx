"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import type { FileRoot } from "@molecule/domain/sets";
import clsx from "clsx";
import {
  ChevronRight,
  File,
  FolderClosed,
  FolderOpen,
  RotateCw,
  Trash2,
  Undo2,
} from "lucide-react";
import type { KeyboardEvent } from "react";
import { Button, IconButton } from "../../../ui/button.tsx";
import { AfterDelay, Skeleton } from "../../../ui/skeleton.tsx";
import { EmptyState, ErrorState } from "../../../ui/state.tsx";
import { useUpdateMemory } from "../state/panel-provider.tsx";
import { sizeText, type TreeRow } from "./model/tree.ts";
import { useDeleteFile } from "./use-delete-file.ts";
import { useFileTree } from "./use-file-tree.ts";

export interface FileTreeProps {
  node: WorkspaceNode;
  root: FileRoot;
  openPath: string | null;
  onOpen: (path: string | null) => void;
}

/** The tree of one root. A folder is asked for when it is opened. */
export function FileTree({ node, root, openPath, onOpen }: FileTreeProps) {
  const tree = useFileTree(node.id, root);
  if (tree.isLoadingRoot) return <TreeSkeleton />;
  if (tree.rootProblem !== null) {
    return (
      <ErrorState
        title="The files could not be listed"
        detail={`${tree.rootProblem.sentence} ${tree.rootProblem.next ?? ""}`}
        requestId={tree.rootProblem.requestId}
        onRetry={tree.refresh}
        isRetrying={tree.isRefreshing}
      />
    );
  }
  if (tree.rows.length === 1 && tree.rows[0]?.kind === "empty") {
    return (
      <EmptyState
        title="Empty folder"
        detail={
          root === "/configs"
            ? "Files you add here reach the agent."
            : "The agent has no files here."
        }
        action={
          <Button
            icon={<RotateCw size={14} aria-hidden="true" />}
            isBusy={tree.isRefreshing}
            onClick={tree.refresh}
          >
            Refresh
          </Button>
        }
      />
    );
  }
  return (
    <div className="h-full overflow-y-auto py-1.5">
      {/* Rows are plain buttons in order; arrows move between them like in any tree. */}
      <ul aria-label={`Files in ${root}`} className="px-2" onKeyDown={moveWithArrows}>
        {tree.rows.map((row) => (
          <Row
            key={`${row.kind}:${row.path}`}
            row={row}
            node={node}
            root={root}
            openPath={openPath}
            onOpen={onOpen}
          />
        ))}
      </ul>
    </div>
  );
}

function Row(props: FileTreeProps & { row: TreeRow }) {
  const { row } = props;
  const indent = { paddingLeft: `${row.depth * 14 + 8}px` };
  switch (row.kind) {
    case "entry":
      return <EntryRow {...props} row={row} />;
    case "failed":
      return (
        <li role="alert" style={indent} className="py-1 text-xs text-danger">
          {row.sentence}
        </li>
      );
    case "loading":
      return (
        <li style={indent} className="py-1.5">
          <AfterDelay>
            <Skeleton className="h-4 w-24" />
          </AfterDelay>
        </li>
      );
    case "empty":
      return (
        <li style={indent} className="py-1 text-xs text-muted">
          Empty
        </li>
      );
    case "truncated":
      return (
        <li style={indent} className="py-1 text-xs text-muted">
          More files than can be listed
        </li>
      );
  }
}

function EntryRow(props: FileTreeProps & { row: Extract<TreeRow, { kind: "entry" }> }) {
  const { row, node, root, openPath, onOpen } = props;
  const update = useUpdateMemory(node.id);
  const deletion = useDeleteFile(node.id, root);
  const toggle = () =>
    update((memory) => {
      const open = memory.openFolders[root] ?? [];
      const next = row.isOpen ? open.filter((path) => path !== row.path) : [...open, row.path];
      return { ...memory, openFolders: { ...memory.openFolders, [root]: next } };
    });
  const isDeleted = row.mark === "deleted";
  return (
    <li className="group/row relative flex items-center">
      <button
        type="button"
        data-tree-row=""
        aria-expanded={row.isFolder ? row.isOpen : undefined}
        aria-current={row.path === openPath ? "true" : undefined}
        style={{ paddingLeft: `${row.depth * 14 + 6}px` }}
        className="flex h-7 min-w-0 flex-1 items-center gap-1.5 rounded-md pr-16 text-left text-sm text-ink hover:bg-hover aria-[current=true]:bg-raised pointer-coarse:h-11"
        onClick={() => (row.isFolder ? toggle() : onOpen(row.path))}
      >
        {row.isFolder ? (
          <ChevronRight
            size={13}
            className={clsx(
              "shrink-0 text-muted transition-transform duration-[120ms]",
              row.isOpen && "rotate-90",
            )}
            aria-hidden="true"
          />
        ) : (
          <span className="w-[13px] shrink-0" />
        )}
        <EntryIcon row={row} />
        <span className={clsx("min-w-0 truncate", isDeleted && "text-muted line-through")}>
          {row.name}
        </span>
        {row.mark === null ? null : (
          <span className="shrink-0 text-xs text-warn">{MARK_TEXT[row.mark]}</span>
        )}
      </button>
      {row.isFolder ? null : (
        <span className="absolute right-1 flex items-center">
          <span className="pr-1 text-xs text-muted group-focus-within/row:hidden group-hover/row:hidden">
            {row.mark === "new" ? "" : sizeText(row.size)}
          </span>
          <span className="hidden group-focus-within/row:inline group-hover/row:inline pointer-coarse:inline">
            <IconButton
              label={isDeleted ? `Keep ${row.name}` : `Delete ${row.name}`}
              size="sm"
              onClick={() => (isDeleted ? deletion.undo(row.path) : void deletion.remove(row.path))}
            >
              {isDeleted ? (
                <Undo2 size={13} aria-hidden="true" />
              ) : (
                <Trash2 size={13} aria-hidden="true" />
              )}
            </IconButton>
          </span>
        </span>
      )}
    </li>
  );
}

const MARK_TEXT = { new: "new", edited: "edited", deleted: "will be deleted" } as const;

function EntryIcon({ row }: { row: Extract<TreeRow, { kind: "entry" }> }) {
  const Icon = row.isFolder ? (row.isOpen ? FolderOpen : FolderClosed) : File;
  return <Icon size={14} className="shrink-0 text-muted" aria-hidden="true" />;
}

function moveWithArrows(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-tree-row]")];
  const at = rows.findIndex((row) => row.matches(":focus"));
  const next = rows[at + (event.key === "ArrowDown" ? 1 : -1)];
  if (at < 0 || next === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  next.focus();
}

function TreeSkeleton() {
  return (
    <AfterDelay>
      <div role="status" className="flex flex-col gap-2 p-4">
        <span className="sr-only">Loading files</span>
        {["60%", "44%", "70%", "52%", "38%"].map((width) => (
          <Skeleton key={width} className="h-4" />
        ))}
      </div>
    </AfterDelay>
  );
}
