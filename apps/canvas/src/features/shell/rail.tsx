"use client";
import { ListFilter, Plus, X } from "lucide-react";
import { useEffect, useRef } from "react";
import { IconButton } from "../../ui/button.tsx";
import { useNodes } from "../store/node-store.tsx";
import { useUi, useUiStore } from "../store/ui-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import { Tree } from "./tree.tsx";

/** The list of agents at the left, 240 px. */
export function Rail() {
  const actions = useWorkspaceActions();
  const count = useNodes((state) => Object.keys(state.byId).length);
  return (
    <nav aria-label="Agents" className="flex w-60 shrink-0 flex-col border-r bg-card">
      <div className="flex h-10 items-center gap-1 pr-2 pl-4">
        <h2 className="flex-1 text-xs font-medium text-muted">
          Agents {count === 0 ? null : <span className="ml-1">{count}</span>}
        </h2>
        <IconButton label="New agent" keys="C" size="sm" onClick={() => actions.addUnder(null)}>
          <Plus size={15} aria-hidden="true" />
        </IconButton>
      </div>
      <FilterField />
      <div className="min-h-0 flex-1 overflow-y-auto px-2 pb-3">
        <Tree />
      </div>
    </nav>
  );
}

/** Narrows the tree and dims the canvas. The key / puts the caret here. */
export function FilterField() {
  const ui = useUiStore();
  const filter = useUi((state) => state.filter);
  const isWanted = useUi((state) => state.isFilterOpen);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (!isWanted) return;
    field.current?.focus();
    ui.setState({ isFilterOpen: false });
  }, [isWanted, ui]);
  return (
    <div className="relative mx-2 mb-1.5">
      <ListFilter
        size={14}
        className="absolute top-1/2 left-2.5 -translate-y-1/2 text-muted"
        aria-hidden="true"
      />
      <input
        ref={field}
        aria-label="Filter agents"
        placeholder="Filter"
        value={filter}
        className="h-8 w-full rounded-md border border-line-strong bg-page pr-8 pl-8 text-sm text-ink outline-offset-0 hover:border-control pointer-coarse:h-11 pointer-coarse:text-md"
        onChange={(event) => ui.setState({ filter: event.target.value })}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.preventDefault();
          ui.setState({ filter: "" });
          event.currentTarget.blur();
        }}
      />
      {filter === "" ? null : (
        <button
          type="button"
          aria-label="Clear the filter"
          className="absolute top-1/2 right-1 inline-flex size-6 -translate-y-1/2 items-center justify-center rounded text-muted hover:text-ink"
          onClick={() => ui.setState({ filter: "" })}
        >
          <X size={14} aria-hidden="true" />
        </button>
      )}
    </div>
  );
}
