import type { Delivery } from "./delivery.ts";
import type { ScheduleCause, ScheduleOutcome } from "./sets.ts";

/** What decides whether a schedule sends its message now. */
export interface FireFacts {
  /** How a message would reach the workspace. */
  readonly delivery: Delivery;
  /** The runtime says that it runs schedules itself (capability `scheduler`). */
  readonly runsItsOwn: boolean;
  readonly isOverBudget: boolean;
  /** A message of this schedule waits for the agent, and nothing of it has been sent. */
  readonly hasWaitingRun: boolean;
}

/** Why a time of a schedule passed without a message. */
export type ScheduleSkip = "paused" | "failed" | "no_address" | "budget" | "still_waiting";

/** What becomes of a schedule whose time has come. */
export type FireDecision =
  /** Its message is queued; with `wakes` the workspace is started for it. */
  | { readonly kind: "send"; readonly wakes: boolean }
  /** The agent polls: its message is written down for it. */
  | { readonly kind: "hand_over" }
  | { readonly kind: "skip"; readonly reason: ScheduleSkip }
  /** Nothing of it is the platform's: the time passes. */
  | { readonly kind: "pass" }
  /** The workspace is gone: it is switched off. */
  | { readonly kind: "switch_off" };

/** Total over every combination of facts. SPEC: SC7 to SC9. Source: wire contract §13. */
export function decideFire(facts: FireFacts, cause: ScheduleCause): FireDecision {
  const { delivery } = facts;
  if (delivery.kind === "refuse" && delivery.why === "removed") return { kind: "switch_off" };
  if (facts.runsItsOwn && cause !== "manual") return { kind: "pass" };
  if (delivery.kind === "refuse" && delivery.why !== "removed") {
    return { kind: "skip", reason: delivery.why };
  }
  if (facts.isOverBudget) return { kind: "skip", reason: "budget" };
  if (facts.hasWaitingRun) return { kind: "skip", reason: "still_waiting" };
  if (delivery.kind === "poll") return { kind: "hand_over" };
  return { kind: "send", wakes: delivery.kind === "wake" };
}

/** Why a time passed without a message, for a person. */
export function skipSentence(reason: ScheduleSkip, name: string): string {
  switch (reason) {
    case "paused":
      return `${name} is paused.`;
    case "failed":
      return `${name} could not be started.`;
    case "no_address":
      return `${name} has not said where it is.`;
    case "budget":
      return `The monthly budget of ${name} is used up.`;
    case "still_waiting":
      return `The message of an earlier run still waits for ${name}, so no second one was added.`;
  }
}

/** A run that is later than this was missed: nothing of the platform ran when it was due. */
const LATE_AFTER_MS = 5 * 60_000;
/** Missed times are counted up to here. */
export const MAX_MISSED_COUNT = 99;

/** What is known of a run when it begins. */
export interface RunStart {
  readonly dueAt: Date;
  readonly now: Date;
  /** Further times that passed until now, cut at {@link MAX_MISSED_COUNT}. */
  readonly missed: number;
}

/** `catch_up` when the one run stands for times that were missed. SPEC: SC5. */
export function causeOf({ dueAt, now, missed }: RunStart): Exclude<ScheduleCause, "manual"> {
  return missed > 0 || now.getTime() - dueAt.getTime() > LATE_AFTER_MS ? "catch_up" : "due";
}

/** What a run that stands for missed times says of itself. SPEC: SC5. */
export function catchUpSentence(missed: number): string {
  const first = "Late: the platform was not running when it was due.";
  if (missed === 0) return first;
  const most = missed >= MAX_MISSED_COUNT ? "at least " : "";
  const times = missed === 1 ? "1 later time" : `${most}${missed} later times`;
  return `${first} It ran once and stands for ${times} as well.`;
}

/** Empty answers in a row after which a schedule is stale. Source: wire contract §13. */
export const STALE_AFTER_EMPTY_RUNS = 3;

/** What an ended run makes of its schedule. SPEC: SC10. */
export function outcomeOfRun(end: {
  readonly status: "ok" | "error";
  readonly isEmpty: boolean;
  readonly emptyRunsBefore: number;
}): { readonly outcome: ScheduleOutcome; readonly emptyRuns: number } {
  if (end.status === "error") return { outcome: "error", emptyRuns: end.emptyRunsBefore };
  const emptyRuns = end.isEmpty ? end.emptyRunsBefore + 1 : 0;
  return { outcome: emptyRuns >= STALE_AFTER_EMPTY_RUNS ? "stale" : "ok", emptyRuns };
}

const MESSAGE_ID_PREFIX = "cron-";

/** `cron-<8 of the schedule>-<8 random>`. Source: wire contract §13. */
export function scheduleMessageId(scheduleId: string, random: string): string {
  return `${MESSAGE_ID_PREFIX}${scheduleId.slice(0, 8)}-${random.slice(0, 8)}`;
}

/** May this message be one of a schedule? Only its row says so for certain. */
export function isScheduleMessageId(messageId: string | null): boolean {
  return messageId?.startsWith(MESSAGE_ID_PREFIX) === true;
}

/** Schedules of one workspace at most. */
export const MAX_SCHEDULES = 100;
/** Runs of one schedule that are kept. */
export const KEPT_RUNS = 100;
