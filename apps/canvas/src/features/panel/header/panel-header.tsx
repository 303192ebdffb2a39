"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { Play, RotateCw, X } from "lucide-react";
import { memo } from "react";
import { Button, IconButton } from "../../../ui/button.tsx";
import { modelLabel, RUNTIME_LABELS } from "../../status/model-label.ts";
import { StatusGlyph } from "../../status/status-glyph.tsx";
import { statusView, taskCount } from "../../status/status-view.ts";
import { useWorkspaceActions } from "../../workspace-actions/use-workspace-actions.ts";
import { PanelMenu } from "./panel-menu.tsx";
import { PanelName } from "./panel-name.tsx";

/** Who this is, how it is, and the one thing to do about it. */
export const PanelHeader = memo(function PanelHeader(props: {
  node: WorkspaceNode;
  headingId: string;
}) {
  const { node, headingId } = props;
  const actions = useWorkspaceActions();
  const status = statusView(node);
  const tasks = taskCount(node);
  return (
    <header className="flex flex-col gap-0.5 px-4 pt-3 pb-2">
      <div className="flex items-center gap-2">
        <StatusGlyph status={status} size={16} />
        <PanelName node={node} headingId={headingId} />
        <PrimaryAction node={node} />
        <PanelMenu node={node} />
        <IconButton label="Close panel" keys="Esc" size="sm" onClick={() => actions.closePanel()}>
          <X size={16} aria-hidden="true" />
        </IconButton>
      </div>
      <p className="flex min-w-0 items-center gap-1.5 pl-6 text-xs text-muted">
        <span className="shrink-0 font-medium text-ink">{status.word}</span>
        {tasks === null ? null : <Part>{tasks}</Part>}
        <Part>{RUNTIME_LABELS[node.runtime]}</Part>
        <Model node={node} />
      </p>
    </header>
  );
});

function Part({ children }: { children: React.ReactNode }) {
  return (
    <>
      <span aria-hidden="true">·</span>
      <span className="shrink-0">{children}</span>
    </>
  );
}

function Model({ node }: { node: WorkspaceNode }) {
  const { current, next } = modelLabel(node);
  if (current === null && next === null) return null;
  return (
    <>
      <span aria-hidden="true">·</span>
      <span className="min-w-0 truncate">
        {current ?? "no model"}
        {next === null ? null : <span className="text-warn"> → {next} on next restart</span>}
      </span>
    </>
  );
}

function PrimaryAction({ node }: { node: WorkspaceNode }) {
  const actions = useWorkspaceActions();
  switch (node.status) {
    case "failed":
    case "offline":
      return (
        <Button
          size="sm"
          variant="primary"
          icon={<RotateCw size={13} aria-hidden="true" />}
          onClick={() => void actions.restart(node.id)}
        >
          Retry
        </Button>
      );
    case "paused":
    case "hibernating":
    case "hibernated":
      return (
        <Button
          size="sm"
          variant="primary"
          icon={<Play size={13} aria-hidden="true" />}
          onClick={() => void actions.resume(node.id)}
        >
          {node.status === "paused" ? "Resume" : "Wake"}
        </Button>
      );
    case "degraded":
      return (
        <Button
          size="sm"
          icon={<RotateCw size={13} aria-hidden="true" />}
          onClick={() => void actions.restart(node.id)}
        >
          Restart
        </Button>
      );
    default:
      return null;
  }
}
