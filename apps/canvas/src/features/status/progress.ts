import type { AttemptView } from "@molecule/contracts/workspaces";
import { STAGES, type Stage } from "@molecule/domain/sets";

/** What each stage says while it lasts. */
export const STAGE_LABELS: Readonly<Record<Stage, string>> = {
  queued: "Queued",
  stopping: "Stopping",
  preparing: "Preparing files",
  creating: "Creating",
  booting: "Booting",
  first_heartbeat: "Waiting for its first beat",
};

/** Where the bar stands when a stage begins; the last entry is the end. Booting is most of a start. */
const STAGE_STARTS = [0, 0.06, 0.16, 0.26, 0.42, 0.86, 1] as const;
/** Used for the pace of the bar until there is a median. */
const UNKNOWN_EXPECTED_MS = 10_000;
/** From here on a start is called slow. Source: canvas brief §10. */
const SLOW_FACTOR = 1.5;

/** An open attempt as a bar and a line. */
export interface Progress {
  readonly stage: Stage;
  /** `3/6` is the third stage. */
  readonly stageNo: number;
  readonly stageCount: number;
  readonly label: string;
  /** What the stage says of itself while it takes long; null when it says nothing. */
  readonly detail: string | null;
  readonly elapsedMs: number;
  /** Median of former starts; null before there is one. */
  readonly expectedMs: number | null;
  /** 0 to 1, growing with time inside a stage and never reaching the next one's place. */
  readonly fraction: number;
  readonly isSlow: boolean;
}

/** The progress of an attempt at a time; null when it is not open. */
export function progressOf(attempt: AttemptView | null, nowMs: number): Progress | null {
  if (attempt === null || attempt.outcome !== null) return null;
  const stage = attempt.stage ?? "queued";
  const index = STAGES.indexOf(stage);
  const begunMs = Date.parse(attempt.createdAt);
  const mark = attempt.stages.findLast((each) => each.stage === stage);
  const stageBegunMs = mark === undefined ? begunMs : Date.parse(mark.at);
  const elapsedMs = Math.max(0, nowMs - begunMs);
  const start = STAGE_STARTS[index] ?? 0;
  const width = (STAGE_STARTS[index + 1] ?? 1) - start;
  const pace = (attempt.expectedMs ?? UNKNOWN_EXPECTED_MS) * width;
  const inStage = 1 - Math.exp(-Math.max(0, nowMs - stageBegunMs) / Math.max(pace, 1));
  return {
    stage,
    stageNo: index + 1,
    stageCount: STAGES.length,
    label: STAGE_LABELS[stage],
    detail: mark?.progress ?? null,
    elapsedMs,
    expectedMs: attempt.expectedMs,
    fraction: start + width * inStage,
    isSlow: attempt.expectedMs !== null && elapsedMs > attempt.expectedMs * SLOW_FACTOR,
  };
}
