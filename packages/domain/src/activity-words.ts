import { ACTIVITY_STATUSES, type ActivityStatus, type ActivityType } from "./sets.ts";

/** How a delegation's rows stand on the wire. Source: wire contract §7.3. */
export const DELEGATION_STATUSES = ["dispatched", "queued", "completed", "failed"] as const;
/** Every word that a row can have. */
export const ACTIVITY_WORDS = [...ACTIVITY_STATUSES, "dispatched", "completed", "failed"] as const;

const DELEGATION_WORDS = {
  pending: "dispatched",
  queued: "queued",
  ok: "completed",
  error: "failed",
} as const satisfies Record<ActivityStatus, (typeof DELEGATION_STATUSES)[number]>;

/** A status as clients read it. */
export type ActivityWord = (typeof ACTIVITY_WORDS)[number];

/** How a row of the activity stands, in the words of the wire: of its list and its event alike. */
export function activityWord(row: {
  readonly activityType: ActivityType;
  readonly status: ActivityStatus;
}): ActivityWord {
  return row.activityType === "delegation" ? DELEGATION_WORDS[row.status] : row.status;
}

/** Whether rows of this kind have this word; another one is a fault of whoever tells. */
export function isActivityWord(activityType: ActivityType, word: string): boolean {
  const words: readonly string[] =
    activityType === "delegation" ? DELEGATION_STATUSES : ACTIVITY_STATUSES;
  return words.includes(word);
}
