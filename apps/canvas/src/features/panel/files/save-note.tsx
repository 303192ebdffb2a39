"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import type { FileRoot } from "@molecule/domain/sets";
import { CircleCheck } from "lucide-react";
import { useNow } from "../../clock/clock.tsx";
import { untilText } from "../text/time-text.ts";
import type { SavedFile } from "./use-open-file.ts";

/** After a save: that it is kept, and when the agent gets it. */
export function SaveNote(props: { node: WorkspaceNode; root: FileRoot; saved: SavedFile | null }) {
  const { node, root, saved } = props;
  const due = node.pending?.dueAt ?? null;
  const nowMs = useNow(saved !== null && due !== null);
  if (saved === null) return null;
  return (
    <p role="status" className="flex shrink-0 items-center gap-1.5 text-xs text-muted">
      <CircleCheck size={13} className="text-status-online" aria-hidden="true" />
      {root === "/configs" && saved.willRestart ? `Saved · ${whenText(node, due, nowMs)}` : "Saved"}
    </p>
  );
}

function whenText(node: WorkspaceNode, due: string | null, nowMs: number): string {
  if (node.status === "provisioning") return "restarting with it";
  if (node.pending === null) return "running";
  if (node.pending.isWaitingForTurns) return "applies when the running task ends";
  if (due === null) return "applies with the next restart";
  const left = untilText(due, nowMs);
  return left === "now" ? "restarting now" : `applies with the next restart in ${left}`;
}
