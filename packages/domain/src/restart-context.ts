import type { MergedChange } from "./explain.ts";
import type { AttemptReason } from "./sets.ts";

/** Work of an agent that a restart broke off. */
export interface InterruptedTurn {
  /** The beginning of what was asked, on one line. */
  readonly title: string;
  /** Who asked; empty when it is not known. */
  readonly from: string;
}

/** What is known of a restart when its agent is there again. Instants are the platform's. */
export interface RestartContextFacts {
  readonly attempt: number;
  readonly reason: AttemptReason;
  /** Why this attempt began, as `explainAttempt` says it. */
  readonly sentence: string;
  readonly restartedAt: Date;
  /** When the agent's previous session ended; null when it never had one. */
  readonly previousEndedAt: Date | null;
  /** Everything that changed since the agent was last told. */
  readonly merged: readonly MergedChange[];
  /** Restarts before this one that the agent was never told of, oldest first. */
  readonly untold: readonly { readonly attempt: number; readonly sentence: string }[];
  readonly interrupted: readonly InterruptedTurn[];
  /** Names of the secrets it was started with; never a value. */
  readonly envKeys: readonly string[];
}

/** Restarts that an agent need not know of when they changed nothing for it. */
const QUIET_REASONS: readonly AttemptReason[] = [
  "create",
  "resume",
  "wake",
  "schedule",
  "host_moved",
  "platform_upgrade",
];

/**
 * What the agent of an attempt is told about its restart, as one text; null when there is nothing to
 * tell. Names only: no value of a setting or a secret is in it. SPEC: C1 to C4. Source: contract §4.3.
 */
export function restartContext(facts: RestartContextFacts): string | null {
  if (facts.previousEndedAt === null) return null;
  const isNews = facts.merged.length > 0 || facts.interrupted.length > 0 || facts.untold.length > 0;
  if (QUIET_REASONS.includes(facts.reason) && !isNews) return null;
  return [
    `You were restarted (attempt ${facts.attempt}): ${facts.sentence}.`,
    `Restarted at: ${facts.restartedAt.toISOString()}`,
    `Previous session ended at: ${facts.previousEndedAt.toISOString()}`,
    ...section(
      "Restarts before this one that you were not told of:",
      facts.untold.map(({ attempt, sentence }) => `attempt ${attempt}: ${sentence}`),
    ),
    ...section("Changed since your previous session:", facts.merged.map(changeLine)),
    ...section("Broken off by the restart:", facts.interrupted.map(turnLine)),
    `Environment variables set for you (names only): ${facts.envKeys.toSorted().join(", ") || "none"}`,
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `- ${line}`)];
}

const KIND_TITLES: Record<MergedChange["kind"], string> = {
  image: "image",
  redeploy: "redeployment",
  template: "template",
  plugin: "plugins",
  setting: "settings",
  secret: "secrets",
  file: "files in /configs",
};

function changeLine(change: MergedChange): string {
  const further = change.count - change.names.length;
  const more = further > 0 ? ` and ${further} more` : "";
  return `${KIND_TITLES[change.kind]}: ${change.names.join(", ")}${more} (by ${change.actors.join(", ")})`;
}

function turnLine(turn: InterruptedTurn): string {
  return turn.from === "" ? `“${turn.title}”` : `“${turn.title}” from ${turn.from}`;
}

/** The message id of an attempt's note: the same whoever sends it and however often. */
export function restartContextId(workspaceId: string, attempt: number): string {
  return `restart-context:${workspaceId}:${attempt}`;
}

/** The attempt a message id of `restartContextId` speaks for; null for every other message. */
export function attemptOfRestartContext(messageId: string | null): number | null {
  const found = /^restart-context:[0-9a-f-]{36}:(\d+)$/.exec(messageId ?? "");
  return found === null ? null : Number(found[1]);
}

/** Longest title of a turn that a sentence carries, in characters. */
const MAX_TITLE_CHARS = 80;
/** Turns that a sentence names; the rest is counted. */
const MAX_NAMED_TURNS = 3;

/** What was asked, as the title of a turn. */
export function turnTitle(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > MAX_TITLE_CHARS ? `${line.slice(0, MAX_TITLE_CHARS - 1)}…` : line;
}

/** The sentence of an attempt with the turns it broke off; unchanged without any. SPEC: P6. */
export function withInterrupted(sentence: string, turns: readonly InterruptedTurn[]): string {
  if (turns.length === 0) return sentence;
  const named = turns.slice(0, MAX_NAMED_TURNS).map(turnLine);
  const rest = turns.length - named.length;
  return `${sentence}; broken off: ${named.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
