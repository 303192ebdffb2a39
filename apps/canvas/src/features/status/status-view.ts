import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import type { WorkspaceStatus } from "@molecule/domain/sets";

/** How a state looks: one glyph shape and one colour each, so that hue is never alone. */
export const TONES = [
  "online",
  "provisioning",
  "restarting",
  "degraded",
  "failed",
  "paused",
  "hibernated",
  "offline",
  "awaiting",
] as const;
export type Tone = (typeof TONES)[number];

/** A state as a person sees it. */
export interface StatusView {
  readonly tone: Tone;
  /** One or two words, always shown beside the glyph. */
  readonly word: string;
  /** The agent is at work: a state of work, not of health. */
  readonly isBusy: boolean;
}

type NodeFacts = Pick<
  WorkspaceNode,
  "status" | "attempt" | "activeTasks" | "phase" | "waitsForTurn"
>;

/** Attempts that begin a run rather than repeat one. */
const FIRST_STARTS: ReadonlySet<string> = new Set(["create", "resume", "wake", "boot_retry"]);

/** How a workspace looks now. */
export function statusView(node: NodeFacts): StatusView {
  const isBusy = node.activeTasks > 0 && (node.status === "online" || node.status === "degraded");
  const view = (tone: Tone, word: string): StatusView => ({ tone, word, isBusy });
  if (node.waitsForTurn) return view("provisioning", "Waiting for its turn");
  if (node.status === "provisioning" && isRestart(node)) return view("restarting", "Restarting");
  if (node.status === "offline" && node.phase === "BACKOFF") return view("offline", "Retrying");
  return view(TONE_OF[node.status], WORD_OF[node.status]);
}

function isRestart(node: NodeFacts): boolean {
  return node.attempt !== null && !FIRST_STARTS.has(node.attempt.reason);
}

const TONE_OF: Readonly<Record<WorkspaceStatus, Tone>> = {
  provisioning: "provisioning",
  online: "online",
  degraded: "degraded",
  offline: "offline",
  failed: "failed",
  paused: "paused",
  hibernating: "hibernated",
  hibernated: "hibernated",
  awaiting_agent: "awaiting",
  removed: "offline",
};

const WORD_OF: Readonly<Record<WorkspaceStatus, string>> = {
  provisioning: "Starting",
  online: "Online",
  degraded: "Degraded",
  offline: "Offline",
  failed: "Failed",
  paused: "Paused",
  hibernating: "Falling asleep",
  hibernated: "Asleep",
  awaiting_agent: "Awaiting agent",
  removed: "Being removed",
};

/** `2 tasks`, or null when none runs. */
export function taskCount(node: NodeFacts): string | null {
  if (node.activeTasks === 0) return null;
  return node.activeTasks === 1 ? "1 task" : `${node.activeTasks} tasks`;
}

/** The worst state of several, for a team: what needs a person first. Null for none. */
export function worstTone(tones: readonly Tone[]): Tone | null {
  const order: readonly Tone[] = [
    "failed",
    "degraded",
    "offline",
    "awaiting",
    "restarting",
    "provisioning",
    "paused",
    "hibernated",
    "online",
  ];
  return order.find((tone) => tones.includes(tone)) ?? null;
}
