/** What decides whether an agent falls asleep by itself. */
export interface IdleFacts {
  /** Minutes without work after which it sleeps. */
  readonly minutes: number;
  /** The latest sign of work: a message, a turn, a change, a start. */
  readonly since: Date;
  /** A turn runs, or a message is under way or waits. */
  readonly isBusy: boolean;
}

const MINUTE_MS = 60_000;

/**
 * When an idle agent falls asleep. One that is busy is not idle before now, so it is looked at again
 * after the whole time; nobody has to look in between. SPEC: P8, P9.
 */
export function sleepsAt(idle: IdleFacts, now: Date): Date {
  const since = idle.isBusy && idle.since < now ? now : idle.since;
  return new Date(since.getTime() + idle.minutes * MINUTE_MS);
}

/** Why it sleeps, for a person. */
export function explainSleep(minutes: number): string {
  const time = minutes === 1 ? "a minute" : `${minutes} minutes`;
  return `Put to sleep after ${time} without work; a message wakes it`;
}
