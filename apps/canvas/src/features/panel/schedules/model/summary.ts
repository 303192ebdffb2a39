import type { ScheduleView } from "@molecule/contracts/schedules";

/** What is to be known of an agent's schedules without opening them. */
export interface ScheduleSummary {
  readonly count: number;
  /** Switched on, and so with a next run. */
  readonly on: number;
  /** The one that runs next; null while all are off. */
  readonly next: ScheduleView | null;
  /** The one whose latest run is the newest; null before the first. */
  readonly last: ScheduleView | null;
  /** Those whose latest run was not answered as it should be. */
  readonly troubled: readonly ScheduleView[];
}

/** The summary of a list; null for an empty one. */
export function scheduleSummary(schedules: readonly ScheduleView[]): ScheduleSummary | null {
  if (schedules.length === 0) return null;
  return {
    count: schedules.length,
    on: schedules.filter((one) => one.enabled).length,
    next: first(schedules, (one) => (one.enabled ? one.nextRunAt : null), 1),
    last: first(schedules, (one) => (one.lastStatus === null ? null : one.lastRunAt), -1),
    troubled: schedules.filter((one) => one.lastStatus !== null && one.lastStatus !== "ok"),
  };
}

/** The one with the earliest (1) or latest (-1) of an instant. */
function first(
  schedules: readonly ScheduleView[],
  instantOf: (one: ScheduleView) => string | null,
  order: 1 | -1,
): ScheduleView | null {
  const timed = schedules.flatMap((one) => {
    const at = instantOf(one);
    return at === null ? [] : [{ one, atMs: Date.parse(at) }];
  });
  return timed.toSorted((a, b) => order * (a.atMs - b.atMs))[0]?.one ?? null;
}
