import type { AttemptView, MergedChange } from "@molecule/contracts/workspaces";
import { type ChangeKind, STAGES, type Stage } from "@molecule/domain/sets";

/** Attempts by number, newest first; the live one replaces its loaded twin. */
export function mergeAttempts(
  loaded: readonly AttemptView[],
  live: AttemptView | null,
): AttemptView[] {
  const byNo = new Map(loaded.map((attempt) => [attempt.no, attempt]));
  if (live !== null) byNo.set(live.no, live);
  return [...byNo.values()].sort((a, b) => b.no - a.no);
}

/** One stage of an attempt, and where it lies in the whole of it. */
export interface PhaseRow {
  readonly stage: Stage;
  readonly ms: number;
  /** The latest line of what it does or did; null where it told none. */
  readonly progress: string | null;
  readonly isRunning: boolean;
  /** Where its bar begins, 0 to 1 of the attempt. */
  readonly from: number;
  /** How long its bar is, 0 to 1 of the attempt. */
  readonly share: number;
}

/**
 * The stages that an attempt went through, in order. A stage lasts until the next one begins, the last
 * one until the attempt was ready or ended; of an open attempt the current stage lasts until now.
 */
export function phaseRows(attempt: AttemptView, nowMs: number): PhaseRow[] {
  const marks = attempt.stages.toSorted(
    (a, b) => STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage),
  );
  const end = attempt.readyAt ?? attempt.endedAt;
  const begunMs = Date.parse(attempt.createdAt);
  const endMs = Math.max(end === null ? nowMs : Date.parse(end), begunMs + 1);
  const wholeMs = endMs - begunMs;
  return marks.map((mark, index) => {
    const next = marks[index + 1]?.at;
    const fromMs = clamp(Date.parse(mark.at), begunMs, endMs);
    const toMs = clamp(next === undefined ? endMs : Date.parse(next), fromMs, endMs);
    return {
      stage: mark.stage,
      ms: toMs - fromMs,
      progress: mark.progress ?? null,
      isRunning: end === null && next === undefined,
      from: (fromMs - begunMs) / wholeMs,
      share: (toMs - fromMs) / wholeMs,
    };
  });
}

/** What an attempt carries of one kind, by name and by whom. */
export interface CarriedRow {
  readonly kind: ChangeKind;
  /** `1 file`, `Settings`, `2 secrets`. */
  readonly title: string;
  readonly names: readonly string[];
  /** Names that the ledger did not keep. */
  readonly moreCount: number;
  /** `you and Ben`; empty when nobody is named. */
  readonly by: string;
}

const KIND_WORDS: Readonly<Record<ChangeKind, readonly [one: string, many: string]>> = {
  file: ["file", "files"],
  setting: ["setting", "settings"],
  secret: ["secret", "secrets"],
  plugin: ["plugin", "plugins"],
  template: ["template", "templates"],
  image: ["image", "images"],
  redeploy: ["redeployment", "redeployments"],
};

/** What an attempt carries, a row per kind. `reader` is the member's name. */
export function carriedRows(merged: readonly MergedChange[], reader: string | null): CarriedRow[] {
  return merged.map((change) => ({
    kind: change.kind,
    title: `${change.count} ${KIND_WORDS[change.kind][change.count === 1 ? 0 : 1]}`,
    names: change.names,
    moreCount: Math.max(0, change.count - change.names.length),
    by: listText(change.actors.map((name) => (name === reader ? "you" : name))),
  }));
}

/** How an attempt went, in one or two words; an open one is under way. */
export function outcomeText(attempt: AttemptView): string {
  switch (attempt.outcome) {
    case null:
      return "under way";
    case "ready":
      return "ready";
    case "superseded":
      return "replaced by the next one";
    case "boot_timeout":
      return "did not start in time";
    case "boot_failed":
      return "stopped while starting";
    case "create_failed":
      return "could not be created";
    case "aborted":
      return "stopped";
  }
}

const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);

/** `a`, `a and b`, `a, b and c`. */
function listText(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}
