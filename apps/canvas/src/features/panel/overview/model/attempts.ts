import type { AttemptView } from "@molecule/contracts/workspaces";
import { STAGES, type Stage } from "@molecule/domain/sets";

/** Attempts by number, newest first; the live one replaces its loaded twin. */
export function mergeAttempts(
  loaded: readonly AttemptView[],
  live: AttemptView | null,
): AttemptView[] {
  const byNo = new Map(loaded.map((attempt) => [attempt.no, attempt]));
  if (live !== null) byNo.set(live.no, live);
  return [...byNo.values()].sort((a, b) => b.no - a.no);
}

/** How long one stage of an attempt took. */
export interface StageSpan {
  readonly stage: Stage;
  readonly ms: number;
}

/**
 * The stages that are over, in order, with their lengths. The last stage ends when the attempt became
 * ready or ended; of an open attempt the current stage is left out.
 */
export function stageSpans(attempt: AttemptView): StageSpan[] {
  const marks = attempt.stages.toSorted(
    (a, b) => STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage),
  );
  const end = attempt.readyAt ?? attempt.endedAt;
  return marks.flatMap((mark, index) => {
    const until = marks[index + 1]?.at ?? end;
    if (until === null) return [];
    return [{ stage: mark.stage, ms: Math.max(0, Date.parse(until) - Date.parse(mark.at)) }];
  });
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
