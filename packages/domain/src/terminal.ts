import type { ErrorCode } from "./errors.ts";
import type { Backend, Intent, Phase } from "./sets.ts";

/** What a person sees while a terminal connects, in order. Source: canvas §8. */
export const TERMINAL_STAGES = ["authorising", "reaching", "opening"] as const;
export type TerminalStage = (typeof TERMINAL_STAGES)[number];

/** Every way a terminal ends or does not begin. */
export const TERMINAL_ENDS = [
  "shell_ended",
  "closed",
  "idle",
  "superseded",
  "removed",
  "paused",
  "starting",
  "not_running",
  "elsewhere",
  "off",
  "no_shell",
  "too_many",
  "too_many_viewers",
  "gone",
  "unreachable",
  "timed_out",
  "connection_lost",
  "connection_replaced",
  "worker_stopping",
  "server_stopping",
  "signed_out",
  "bad_message",
] as const;
export type TerminalEnd = (typeof TERMINAL_ENDS)[number];

/** What a person and a program are told of an end. */
export interface TerminalEndText {
  readonly sentence: string;
  readonly next: string;
  /** WebSocket close code; 4400 and above are ours. */
  readonly closeCode: number;
  /** How a request that could not become a terminal is answered. */
  readonly errorCode: ErrorCode;
  /** A page may try by itself again: the shell is still there, or nothing was decided about it. */
  readonly comesBack: boolean;
}

const end = (
  [closeCode, errorCode]: readonly [number, ErrorCode],
  sentence: string,
  next: string,
  comesBack = false,
): TerminalEndText => ({ sentence, next, closeCode, errorCode, comesBack });

/** The closed list of ends with their sentences. */
export const TERMINAL_END_TEXTS: Readonly<Record<TerminalEnd, TerminalEndText>> = {
  shell_ended: end([1000, "not_found"], "The shell has ended.", "Open a new one."),
  closed: end([1000, "not_found"], "Somebody closed this terminal.", "Open a new one."),
  idle: end(
    [4410, "not_found"],
    "Nothing was typed for a while, so the terminal was closed.",
    "Open a new one.",
  ),
  superseded: end(
    [4409, "superseded"],
    "The agent was started anew, and the shell ended with the old instance.",
    "Open a new one.",
  ),
  removed: end(
    [4404, "removed"],
    "This workspace has been removed.",
    "There is nothing left to open.",
  ),
  paused: end(
    [4404, "not_found"],
    "This agent is paused, so there is nothing to open a shell in.",
    "Resume it first.",
  ),
  starting: end(
    [4425, "workspace_restarting"],
    "This agent is being started right now.",
    "Connect again when it is up.",
  ),
  not_running: end(
    [4404, "not_found"],
    "No instance of this agent is running.",
    "Restart it; its Overview says why it ended.",
  ),
  elsewhere: end(
    [4501, "not_available_here"],
    "This agent runs outside the platform, so its terminal is not here.",
    "Open a shell on the machine that runs it.",
  ),
  off: end(
    [4501, "not_available_here"],
    "Terminals are switched off for agents that run as processes of this machine.",
    "Set MOLECULE_PROCESS_TERMINAL=1 where the platform runs and start it again.",
  ),
  no_shell: end(
    [4502, "upstream_failed"],
    "The instance has neither bash nor sh that could be started.",
    "Use an image with a shell.",
  ),
  too_many: end(
    [4429, "conflict"],
    "This agent has as many terminals open as it may have.",
    "Go on in one of them, or close one.",
  ),
  too_many_viewers: end(
    [4429, "conflict"],
    "As many people as may look at this terminal are looking at it.",
    "Open one of your own.",
  ),
  gone: end([4404, "not_found"], "This terminal is not there any more.", "Open a new one."),
  unreachable: end(
    [4503, "workspace_unreachable"],
    "The place where this agent runs does not answer.",
    "Diagnose says what is in the way.",
  ),
  timed_out: end(
    [4504, "upstream_timeout"],
    "The shell did not open within 10 seconds.",
    "Try again; Diagnose says what is slow.",
  ),
  connection_lost: end(
    [4503, "workspace_unreachable"],
    "The connection to the shell broke.",
    "Connect again; the shell may still be there.",
    true,
  ),
  connection_replaced: end(
    [4503, "workspace_unreachable"],
    "The connection to the machine reached its age limit.",
    "Connect again; what runs under tmux is still there.",
    true,
  ),
  worker_stopping: end(
    [4503, "platform_unavailable"],
    "The platform's worker is stopping, and the shell ended with it.",
    "Open a new one in a moment.",
  ),
  server_stopping: end(
    [1001, "platform_unavailable"],
    "The platform's server is stopping; the shell runs on.",
    "Connect again in a moment.",
    true,
  ),
  signed_out: end([4401, "unauthenticated"], "You were signed out.", "Sign in again."),
  bad_message: end(
    [4400, "bad_request"],
    "The page sent something that is no part of a terminal.",
    "Reload the page.",
  ),
};

/** How long a ticket opens a terminal, once. Source: security C2 row 20. */
export const TERMINAL_TICKET_SECONDS = 30;
/** A session that was unused for longer is given no ticket before it is used again. */
export const TERMINAL_FRESH_SECONDS = 15 * 60;
/** Silence of every viewer after which a terminal is closed. Source: security C2 row 20. */
export const TERMINAL_IDLE_MS = 15 * 60_000;
/** How long before an end that is known its viewers are warned. */
export const TERMINAL_WARNING_MS = 120_000;
/** By then a shell is open or the cause is told. */
export const TERMINAL_OPEN_MS = 10_000;
/** Bytes of output that a terminal keeps. */
export const TERMINAL_SCROLLBACK_BYTES = 1_048_576;
export const MAX_TERMINALS_PER_WORKSPACE = 4;
export const MAX_VIEWERS_PER_TERMINAL = 8;
/** Largest message of a viewer. */
export const MAX_TERMINAL_MESSAGE_BYTES = 65_536;

/** Characters across and down. */
export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

export const DEFAULT_TERMINAL_SIZE: TerminalSize = { cols: 80, rows: 24 };
const MIN_SIDE = 2;
const MAX_SIDE = 500;

/** The size that every viewer can show whole; the usual one while nobody looks. Rule TM5. */
export function sharedSize(sizes: readonly TerminalSize[]): TerminalSize {
  if (sizes.length === 0) return DEFAULT_TERMINAL_SIZE;
  return {
    cols: clampSide(Math.min(...sizes.map((size) => size.cols))),
    rows: clampSide(Math.min(...sizes.map((size) => size.rows))),
  };
}

function clampSide(side: number): number {
  if (!Number.isFinite(side)) return MIN_SIDE;
  return Math.min(MAX_SIDE, Math.max(MIN_SIDE, Math.trunc(side)));
}

/** What is known of a workspace whose terminal is asked for. */
export interface TerminalPlace {
  readonly backend: Backend;
  readonly intent: Intent;
  readonly phase: Phase;
  readonly attemptNo: number;
}

/** Phases in which an instance is being replaced. */
const REPLACING: ReadonlySet<Phase> = new Set(["NEW", "STOPPING", "CREATING"]);

/**
 * Why there is no terminal for somebody who may have one; null when the instance is to be asked.
 * `attemptNo` is the attempt that the permission was given for, null for any. Rules TM1 to TM3.
 */
export function terminalRefusal(
  place: TerminalPlace | null,
  attemptNo: number | null,
): TerminalEnd | null {
  if (place === null) return "gone";
  if (place.intent === "deleted") return "removed";
  if (place.backend === "external") return "elsewhere";
  if (place.intent !== "run") return "paused";
  if (attemptNo !== null && attemptNo !== place.attemptNo) return "superseded";
  return REPLACING.has(place.phase) ? "starting" : null;
}

/** What the end of a shell means, by where its workspace is now. Rule TM4. */
export function endOfShell(
  opened: { readonly attemptNo: number },
  place: TerminalPlace | null,
): TerminalEnd {
  if (place === null || place.intent === "deleted") return "removed";
  if (place.intent !== "run") return "paused";
  if (place.attemptNo !== opened.attemptNo || REPLACING.has(place.phase)) return "superseded";
  return "shell_ended";
}

/** What is due for a terminal that nobody typed into since `typedAtMs`. Rule TM6. */
export function idleStep(
  times: { readonly typedAtMs: number; readonly nowMs: number; readonly isWarned: boolean },
  idleMs: number = TERMINAL_IDLE_MS,
): { readonly kind: "none" | "warn" | "end"; readonly leftMs: number } {
  const leftMs = times.typedAtMs + idleMs - times.nowMs;
  if (leftMs <= 0) return { kind: "end", leftMs: 0 };
  const warnsAt = Math.min(TERMINAL_WARNING_MS, idleMs / 2);
  return { kind: leftMs <= warnsAt && !times.isWarned ? "warn" : "none", leftMs };
}
