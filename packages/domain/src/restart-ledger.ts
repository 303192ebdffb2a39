import type { AttemptReason, RestartOutcome, RestartSource, Stage } from "./sets.ts";

const SOURCES: Readonly<Record<AttemptReason, RestartSource>> = {
  create: "create",
  user: "click",
  files: "write",
  settings: "write",
  secret: "write",
  plugin: "write",
  image: "image",
  redeploy: "redeploy",
  template: "template",
  resume: "resume",
  wake: "wake",
  schedule: "schedule",
  crash: "dead_container",
  oom: "dead_container",
  unhealthy: "liveness",
  boot_retry: "retry",
  host_moved: "platform",
  platform_upgrade: "platform",
};

/** What is known when an attempt begins. */
export interface BeginFacts {
  readonly reason: AttemptReason;
  /** Writes and clicks that came since the ledger last said what became of them. */
  readonly writes: number;
  readonly clicks: number;
}

/** Requests of one source that had one outcome. */
export interface CountedRequests {
  readonly source: RestartSource;
  readonly outcome: RestartOutcome;
  /** Never 0. */
  readonly count: number;
}

/**
 * What became of everything that asked for a restart until an attempt began: exactly one request began
 * it, every other one is merged into it. SPEC: L3.
 */
export function requestsAtBegin(facts: BeginFacts): readonly CountedRequests[] {
  const source = SOURCES[facts.reason];
  const isWritten = ["write", "image", "redeploy", "template"].includes(source);
  const isClicked = source === "click" || (source === "template" && facts.clicks > 0);
  const merged: readonly CountedRequests[] = [
    { source: "write", outcome: "merged", count: facts.writes - (isWritten ? 1 : 0) },
    { source: "click", outcome: "merged", count: facts.clicks - (isClicked ? 1 : 0) },
  ];
  return [{ source, outcome: "began", count: 1 }, ...merged.filter(({ count }) => count > 0)];
}

/** When an attempt entered a stage. Instants are ISO text: this is stored and sent. */
export interface EnteredStage {
  readonly stage: Stage;
  readonly at: string;
  readonly progress?: string | undefined;
}

/** A stage with the time it took; `endedAt` and `ms` are null while it runs. */
export interface StagePhase {
  readonly stage: Stage;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly ms: number | null;
  readonly progress: string | null;
}

/** The stages of an attempt as a timeline that ends with the attempt, null while open. SPEC: L6. */
export function stagePhases(
  stages: readonly EnteredStage[],
  endedAt: string | null,
): readonly StagePhase[] {
  return stages.map(({ stage, at, progress }, index) => {
    const end = stages[index + 1]?.at ?? endedAt;
    // The end of a run is written later than its last stage, but clocks of two processes may differ.
    const ms = end === null ? null : Math.max(0, Date.parse(end) - Date.parse(at));
    return { stage, startedAt: at, endedAt: end, ms, progress: progress ?? null };
  });
}
