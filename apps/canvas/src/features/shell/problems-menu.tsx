"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import clsx from "clsx";
import { CircleCheck, ServerOff, TriangleAlert } from "lucide-react";
import { Menu, MenuItem, MenuLabel } from "../../ui/menu.tsx";
import { StatusGlyph } from "../status/status-glyph.tsx";
import { statusView } from "../status/status-view.ts";
import { useNodesShallow, useOrganisation } from "../store/node-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";

/** What needs a person, each with the way to it. */
export function ProblemsMenu() {
  const actions = useWorkspaceActions();
  const platform = useOrganisation()?.platform;
  const problems = useNodesShallow((state) => Object.values(state.byId).filter(isProblem));
  const isWorkerGone = platform?.hasWorker === false;
  const count = problems.length + (isWorkerGone ? 1 : 0);
  const label = count === 0 ? "No problems" : count === 1 ? "1 problem" : `${count} problems`;
  const trigger = (
    <button
      type="button"
      aria-label={label}
      className={clsx(
        "inline-flex h-8 items-center gap-1.5 rounded-md px-2 text-xs font-medium hover:bg-hover data-[state=open]:bg-hover pointer-coarse:h-11",
        count === 0 ? "text-muted" : "text-danger",
      )}
    >
      {count === 0 ? (
        <CircleCheck size={16} aria-hidden="true" />
      ) : (
        <TriangleAlert size={16} aria-hidden="true" />
      )}
      {count === 0 ? null : count}
    </button>
  );
  return (
    <Menu trigger={trigger} label="Problems">
      <MenuLabel>{label}</MenuLabel>
      {isWorkerGone ? (
        <MenuItem icon={<ServerOff size={15} aria-hidden="true" />} onSelect={() => {}}>
          No worker is running: nothing starts or stops until it is back
        </MenuItem>
      ) : null}
      {problems.map((node) => (
        <MenuItem
          key={node.id}
          icon={<StatusGlyph status={statusView(node)} />}
          onSelect={() => actions.open(node.id)}
        >
          <span className="font-medium">{node.name}</span>
          <span className="block max-w-80 truncate text-xs text-muted">
            {problemSentence(node)}
          </span>
        </MenuItem>
      ))}
    </Menu>
  );
}

function isProblem(node: WorkspaceNode): boolean {
  return node.status === "failed" || node.status === "degraded" || node.status === "offline";
}

function problemSentence(node: WorkspaceNode): string {
  if (node.failure !== null) return node.failure.sentence;
  if (node.status === "degraded")
    return node.sampleError === "" ? "Many of its calls fail" : node.sampleError;
  return statusView(node).word;
}
