import type { AttemptView, WorkspaceNode } from "@molecule/contracts/workspaces";
import type { AttemptReason } from "@molecule/domain/sets";
import { type CardLine, cardLine } from "../../../status/card-line.ts";
import { describeChanges } from "../../../status/describe-changes.ts";

/** How long the panel keeps saying why an agent restarted. */
const RESTARTED_SHOWN_MS = 15 * 60_000;

/** What the reason bar says; the kinds of the card's line that explain a state. */
export type Reason = Extract<
  CardLine,
  {
    kind:
      | "progress"
      | "failure"
      | "pending"
      | "paused"
      | "asleep"
      | "degraded"
      | "awaiting"
      | "restarted";
  }
>;

/**
 * Why a workspace is in the state it is in, or null when there is nothing to explain. Like the card's
 * line, except that work and old activity explain nothing, and that a restart is explained for a
 * while also when something happened since.
 */
export function reasonOf(node: WorkspaceNode, nowMs: number, reader: string | null): Reason | null {
  const line = cardLine(node, nowMs, reader);
  switch (line.kind) {
    case "task":
    case "last":
    case "quiet":
      return restartOf(node.attempt, nowMs, reader);
    case "restarted":
      return restartOf(node.attempt, nowMs, reader) ?? line;
    default:
      return line;
  }
}

/** Reasons whose sentence is the list of changes and nothing else. */
const CHANGE_REASONS: ReadonlySet<AttemptReason> = new Set([
  "files",
  "settings",
  "secret",
  "plugin",
  "template",
]);

/** Why an attempt began, for the person who reads it: with "you" where that is who it was. */
export function attemptReason(attempt: AttemptView, reader: string | null): string {
  const { merged, sentence } = attempt.detail;
  if (CHANGE_REASONS.has(attempt.reason) && merged.length > 0) {
    return describeChanges(merged, reader);
  }
  return reader === null ? sentence : sentence.replaceAll(`by ${reader}`, "by you");
}

/** A sentence in two parts; the first is the one that stands out. */
interface Lead {
  readonly lead: string;
  readonly rest: string;
}

const CLICK = /^(restarted|resumed|woken) (by .+)$/;

/** "Restarted 2 min ago: model changed by you." or, where a click was the reason, "… by you." */
export function restartedSentence(reason: string, ago: string): Lead {
  const [, verb, by] = CLICK.exec(reason) ?? [];
  if (verb === undefined || by === undefined) {
    return { lead: `Restarted ${ago}:`, rest: endSentence(reason) };
  }
  return { lead: `${verb[0]?.toUpperCase()}${verb.slice(1)} ${ago}`, rest: endSentence(by) };
}

/** "Restarting: model changed by you" or, where a click is the reason, "Restarted by you". */
export function restartingSentence(reason: string): Lead {
  const [, verb, by] = CLICK.exec(reason) ?? [];
  if (verb === undefined || by === undefined) return { lead: "Restarting:", rest: reason };
  return { lead: `${verb[0]?.toUpperCase()}${verb.slice(1)}`, rest: by };
}

/** The text with a full stop, unless it ends a sentence already. */
export function endSentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** The agent starts for the first time, so there is nothing to explain but how far it is. */
export function isFirstStart(node: Pick<WorkspaceNode, "status" | "attempt">): boolean {
  return node.status === "provisioning" && node.attempt?.reason === "create";
}

function restartOf(
  attempt: AttemptView | null,
  nowMs: number,
  reader: string | null,
): Reason | null {
  if (attempt === null || attempt.readyAt === null || attempt.reason === "create") return null;
  const atMs = Date.parse(attempt.readyAt);
  if (nowMs - atMs > RESTARTED_SHOWN_MS) return null;
  return {
    kind: "restarted",
    reason: attemptReason(attempt, reader),
    atMs,
    tookMs: atMs - Date.parse(attempt.createdAt),
  };
}
