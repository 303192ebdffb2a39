"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import clsx from "clsx";
import { ArrowRight, Ellipsis, PackageX } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef } from "react";
import { DEFAULT_MODEL, modelLabel, RUNTIME_LABELS } from "../status/model-label.ts";
import { StatusGlyph, toneColour } from "../status/status-glyph.tsx";
import { statusView, taskCount } from "../status/status-view.ts";
import { useUi, useUiStore } from "../store/ui-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";

/** Glyph and name; the name is a field while it is being changed. */
export function CardTitle({ node }: { node: WorkspaceNode }) {
  const isRenaming = useUi((ui) => ui.renamingId === node.id);
  return (
    <div className="flex min-w-0 flex-1 items-center gap-2">
      <StatusGlyph status={statusView(node)} />
      {isRenaming ? (
        <NameField node={node} />
      ) : (
        <span className="truncate text-sm font-semibold text-ink" title={node.name}>
          {node.name}
        </span>
      )}
    </div>
  );
}

function NameField({ node }: { node: WorkspaceNode }) {
  const actions = useWorkspaceActions();
  const ui = useUiStore();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    event.stopPropagation();
    if (event.key === "Enter") event.currentTarget.blur();
    if (event.key === "Escape") ui.setState({ renamingId: null });
  };
  return (
    <input
      ref={field}
      // biome-ignore lint/a11y/noAutofocus: the person asked to rename just now
      autoFocus
      aria-label="Name"
      defaultValue={node.name}
      maxLength={255}
      className="nodrag nopan pointer-events-auto -my-1 -ml-1 h-6 w-full min-w-0 rounded border border-focus bg-card px-1 text-sm font-semibold text-ink outline-none select-text"
      onKeyDown={onKeyDown}
      onClick={(event) => event.stopPropagation()}
      onBlur={(event) => void actions.rename(node.id, event.currentTarget.value)}
    />
  );
}

/** The state in words, coloured like its glyph, and how many tasks run. */
export function StatusWords({ node, className }: { node: WorkspaceNode; className?: string }) {
  const status = statusView(node);
  const tasks = taskCount(node);
  return (
    <span className={clsx("truncate", className)}>
      <span className={toneColour(status.tone)}>{status.word}</span>
      {tasks === null ? null : <span className="text-muted"> · {tasks}</span>}
    </span>
  );
}

/** Runtime and running model, and the coming model when it is another one; short leaves the runtime out. */
export function ModelLine(props: { node: WorkspaceNode; className?: string; isShort?: boolean }) {
  const { node, className, isShort = false } = props;
  const { current, next } = modelLabel(node);
  const runtime = RUNTIME_LABELS[node.runtime];
  const running = isShort
    ? (current ?? runtime)
    : current === null
      ? runtime
      : `${runtime} · ${current}`;
  const when = node.status === "provisioning" ? "" : " on next restart";
  return (
    <span className={clsx("flex min-w-0 items-center gap-1 text-muted", className)}>
      <span className="truncate">{running}</span>
      {next === null ? null : (
        <span
          className="flex min-w-0 items-center gap-1 text-warn"
          title={`${current ?? DEFAULT_MODEL} → ${next}${when}`}
        >
          <ArrowRight size={12} className="shrink-0" aria-hidden="true" />
          <span className="truncate">{next}</span>
          <span className="sr-only">{when}</span>
        </span>
      )}
    </span>
  );
}

/** Says that something old is still being taken away. */
export function WaitingForRemoval({ node }: { node: WorkspaceNode }) {
  if (node.waitingForRemoval === 0) return null;
  const text =
    node.waitingForRemoval === 1
      ? "1 old instance is waiting for its removal"
      : `${node.waitingForRemoval} old instances are waiting for their removal`;
  return (
    <span className="inline-flex shrink-0 text-warn" title={text}>
      <PackageX size={13} aria-hidden="true" />
      <span className="sr-only">{text}</span>
    </span>
  );
}

/** Opens the card's menu at the button. */
export function CardMenuButton({ id, className }: { id: string; className?: string }) {
  const ui = useUiStore();
  const isOpen = useUi((state) => state.menu?.id === id);
  return (
    <button
      type="button"
      tabIndex={-1}
      aria-label="Actions"
      aria-haspopup="menu"
      aria-expanded={isOpen}
      className={clsx(
        "nodrag nopan pointer-events-auto -my-1 -mr-1.5 inline-flex size-7 shrink-0 items-center justify-center rounded-md text-muted transition-[opacity,background-color] duration-[120ms] hover:bg-hover hover:text-ink aria-expanded:bg-hover aria-expanded:opacity-100",
        className,
      )}
      onClick={(event) => {
        event.stopPropagation();
        const box = event.currentTarget.getBoundingClientRect();
        ui.setState({ menu: { id, x: box.right, y: box.bottom + 2 } });
      }}
    >
      <Ellipsis size={16} aria-hidden="true" />
    </button>
  );
}

/** The accessible name of a card: who, in which state, doing how much, as what. */
export function cardName(node: WorkspaceNode): string {
  const status = statusView(node).word.toLowerCase();
  const tasks = taskCount(node);
  return [node.name, status, tasks, RUNTIME_LABELS[node.runtime]]
    .filter((part) => part !== null)
    .join(", ");
}
