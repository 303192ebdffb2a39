import type { StormOptions, StormResult } from "./run.ts";

/** One line of the scoreboard. */
interface ScoreLine {
  readonly id: string;
  readonly what: string;
  readonly figure: string;
  readonly bar: string;
  /** Null: told, without a bar at this size of a run. */
  readonly isMet: boolean | null;
}

function line(
  id: string,
  ...[what, figure, bar, isMet]: [string, string, string, boolean | null]
): ScoreLine {
  return { id, what, figure, bar, isMet };
}

/** The lease of production; take-over is measured with a shorter one. */
const LEASE_MS = 15_000;
/** A run of at least this length must reach the counts of R1 and R4; a slow machine needs a longer one. */
const FULL_MINUTES = 10;

/** The scoreboard of a run. Source: lifecycle D. */
export function scoreLines(options: StormOptions, result: StormResult): ScoreLine[] {
  const { broken, faults, durations, scale } = result;
  const isLong = options.minutes >= FULL_MINUTES;
  const isFull = isLong && options.backend === "process";
  const lostUpdates = broken.missing.length + broken.stale.length + broken.lost.length;
  const kills = faults.workerKills + faults.serverKills + faults.agentKills;
  const takeover = p99(durations.takeovers);
  const overhead = takeover === null ? null : takeover - scale.leaseMs;
  const click = p99(durations.clicks);
  const save = p99(durations.saves);
  const isEnough = result.counts.requests >= 10_000 && kills >= 500;
  const isHit = kills >= 500 && faults.stops >= 200 && faults.databaseRestarts >= 20;
  return [
    line("R1", "lost updates", `${lostUpdates} of ${result.writes}`, "0", lostUpdates === 0),
    line(
      "R1",
      "acknowledged writes under kill -9",
      `${result.counts.requests} requests, ${kills} kills`,
      "≥ 10,000 under ≥ 500",
      isFull ? isEnough : null,
    ),
    line(
      "R2",
      "workspaces with more attempts than A6 allows",
      `${broken.tooMany.length}`,
      "0",
      broken.tooMany.length === 0,
    ),
    line(
      "R3",
      "restarts fired by probes",
      `${broken.selfFired.length} of ${result.attempts} attempts, ${result.counts.probes} probes`,
      "0",
      broken.selfFired.length === 0,
    ),
    line(
      "R4",
      "faults survived",
      `${kills} kill -9, ${faults.stops} SIGSTOP, ${faults.databaseRestarts} database restarts`,
      "≥ 500, ≥ 200, ≥ 20",
      isFull ? isHit : null,
    ),
    line(
      "R4",
      "engine restarts survived",
      options.engine === null ? "engine absent" : `${faults.engineRestarts}`,
      "≥ 50",
      options.engine === null || !isLong ? null : faults.engineRestarts >= 50,
    ),
    line(
      "R4",
      "at rest after the last fault",
      result.restAfterMs === null ? "never" : `${result.restAfterMs} ms`,
      "≤ 30 s",
      result.restAfterMs !== null && result.restAfterMs <= 30_000,
    ),
    line(
      "R5",
      "leaked instances, rows, tokens, folders",
      `${broken.leaked.length + broken.twice.length}`,
      "0",
      broken.leaked.length + broken.twice.length === 0,
    ),
    line(
      "R7",
      `take-over of a dead worker beyond its lease of ${scale.leaseMs} ms, p99 (n=${durations.takeovers.length})`,
      inMs(overhead),
      "≤ 5 s, so ≤ 20 s with a lease of 15 s",
      overhead === null ? null : LEASE_MS + overhead <= 20_000,
    ),
    line(
      "R8",
      `click → attempt begun, p99, in the storm (n=${durations.clicks.length})`,
      inMs(click),
      "≤ 1 s without faults",
      null,
    ),
    line(
      "R9",
      `save due → agent started (stop and creation included), p99, in the storm (n=${durations.saves.length})`,
      inMs(save),
      "≤ 2 s without faults",
      null,
    ),
    ...(["refused", "stalled", "unexplained", "unseen"] as const).map((name) =>
      line("—", WORDS[name], `${broken[name].length}`, "0", broken[name].length === 0),
    ),
  ];
}

const WORDS = {
  refused: "writes and presses refused or never acknowledged",
  stalled: "workspaces that did not come to rest",
  unexplained: "attempts without reason, actor, sentence or end",
  unseen: "ready attempts that nobody saw boot",
};

/** Null for an empty list. */
function p99(values: readonly number[]): number | null {
  return quantile(values, 0.99);
}

/** Nearest rank; null for an empty list. */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? null;
}

function inMs(value: number | null): string {
  return value === null ? "none happened" : `${Math.round(value)} ms`;
}
