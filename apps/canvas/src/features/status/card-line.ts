import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { describeChanges } from "./describe-changes.ts";
import { type Progress, progressOf } from "./progress.ts";

/** The one thing that a card says below its name: what matters most now. */
export type CardLine =
  | { readonly kind: "progress"; readonly progress: Progress; readonly reason: string | null }
  | {
      readonly kind: "failure";
      readonly sentence: string;
      readonly next: string;
      /** When the platform tries again by itself, in ms; null when it does not. */
      readonly retryAtMs: number | null;
    }
  | {
      readonly kind: "pending";
      readonly sentence: string;
      readonly dueAtMs: number | null;
      readonly wait: "countdown" | "turns" | "held";
    }
  | { readonly kind: "paused" | "asleep"; readonly by: string | null; readonly atMs: number | null }
  | { readonly kind: "degraded"; readonly errorRate: number; readonly cause: string }
  | { readonly kind: "awaiting" }
  | { readonly kind: "task"; readonly text: string; readonly sinceMs: number | null }
  | {
      readonly kind: "restarted";
      readonly reason: string;
      readonly atMs: number;
      readonly tookMs: number;
    }
  | { readonly kind: "last"; readonly summary: string; readonly atMs: number }
  | { readonly kind: "quiet"; readonly text: string };

/** How long a card keeps saying why it restarted. */
const RESTARTED_SHOWN_MS = 10 * 60_000;

/** What the card of a node says at a time. `reader` is the member's name. */
export function cardLine(node: WorkspaceNode, nowMs: number, reader: string | null): CardLine {
  return (
    failureLine(node) ??
    pausedLine(node) ??
    progressLine(node, nowMs) ??
    pendingLine(node, reader) ??
    workLine(node) ??
    historyLine(node, nowMs)
  );
}

function failureLine(node: WorkspaceNode): CardLine | null {
  // Also of a step that is repeated until it succeeds, and of an agent whose engine is away.
  const isHeldUp =
    node.failure !== null && (node.status === "provisioning" || node.status === "offline");
  // What it runs goes on; what is saved cannot start, and says why.
  const isLacking = node.pending !== null && node.failure?.missing !== undefined;
  if (node.status !== "failed" && node.phase !== "BACKOFF" && !isHeldUp && !isLacking) return null;
  return {
    kind: "failure",
    sentence: node.failure?.sentence ?? "It did not start, and left no reason.",
    next: node.failure?.next ?? "Look at its activity, then retry.",
    retryAtMs: node.retryAt === null ? null : Date.parse(node.retryAt),
  };
}

function pausedLine(node: WorkspaceNode): CardLine | null {
  if (node.status !== "paused" && node.status !== "hibernated") return null;
  return {
    kind: node.status === "paused" ? "paused" : "asleep",
    by: node.pausedBy,
    atMs: node.pausedAt === null ? null : Date.parse(node.pausedAt),
  };
}

function progressLine(node: WorkspaceNode, nowMs: number): CardLine | null {
  if (node.status === "awaiting_agent") return { kind: "awaiting" };
  if (node.status !== "provisioning") return null;
  const progress = progressOf(node.attempt, nowMs);
  if (progress === null) return { kind: "quiet", text: "Queued" };
  const isFirst = node.attempt?.reason === "create";
  return {
    kind: "progress",
    progress,
    reason: isFirst ? null : (node.attempt?.detail.sentence ?? null),
  };
}

function pendingLine(node: WorkspaceNode, reader: string | null): CardLine | null {
  if (node.pending === null) return null;
  const dueAtMs = node.pending.dueAt === null ? null : Date.parse(node.pending.dueAt);
  return {
    kind: "pending",
    sentence: describeChanges(node.pending.merged, reader),
    dueAtMs,
    wait: node.pending.isWaitingForTurns ? "turns" : dueAtMs === null ? "held" : "countdown",
  };
}

function workLine(node: WorkspaceNode): CardLine | null {
  if (node.status === "degraded") {
    return { kind: "degraded", errorRate: node.errorRate, cause: node.sampleError };
  }
  if (node.activeTasks === 0 && node.currentTask === "") return null;
  return {
    kind: "task",
    text: node.currentTask === "" ? "Working" : node.currentTask,
    sinceMs: node.currentTaskAt === null ? null : Date.parse(node.currentTaskAt),
  };
}

function historyLine(node: WorkspaceNode, nowMs: number): CardLine {
  const { attempt, lastActivity } = node;
  const lastMs = lastActivity === null ? 0 : Date.parse(lastActivity.at);
  if (attempt !== null && attempt.readyAt !== null && attempt.reason !== "create") {
    const readyMs = Date.parse(attempt.readyAt);
    if (nowMs - readyMs < RESTARTED_SHOWN_MS && readyMs >= lastMs) {
      const tookMs = readyMs - Date.parse(attempt.createdAt);
      return { kind: "restarted", reason: attempt.detail.sentence, atMs: readyMs, tookMs };
    }
  }
  if (lastActivity !== null)
    return { kind: "last", summary: plainSummary(lastActivity.summary), atMs: lastMs };
  return { kind: "quiet", text: node.status === "offline" ? "Not reachable" : "Nothing yet" };
}

/** The names of protocol calls as a person would say them. */
function plainSummary(summary: string): string {
  return /^message\/(send|stream)\b/.test(summary) ? "Answered a message" : summary;
}

/** True while the platform waits to try again by itself: what "Stop trying" ends. */
export function isRetrying(node: Pick<WorkspaceNode, "phase" | "retryAt">): boolean {
  return node.phase === "BACKOFF" && node.retryAt !== null;
}

/** True while the line shows a time that moves every second. */
export function isCounting(node: WorkspaceNode): boolean {
  return (
    node.status === "provisioning" ||
    node.retryAt !== null ||
    (node.pending !== null && node.pending.dueAt !== null) ||
    (node.activeTasks > 0 && node.currentTaskAt !== null)
  );
}
