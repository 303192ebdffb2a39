import type { ScheduleRunView, ScheduleView } from "@molecule/contracts/schedules";
import { readCron } from "@molecule/domain/cron";
import { describeCron } from "@molecule/domain/describe-cron";
import { formatDuration } from "../../../clock/format.ts";
import { durationText } from "../../text/time-text.ts";

/** "At 09:00 from Monday to Friday"; the five fields themselves when they cannot be read. */
export function rhythmText(cronExpr: string): string {
  const read = readCron(cronExpr);
  return read.kind === "cron" ? describeCron(read.cron) : cronExpr;
}

/** What a schedule is called: its name, or when it runs. */
export function titleOf(schedule: Pick<ScheduleView, "name" | "cronExpr">): string {
  return schedule.name === "" ? rhythmText(schedule.cronExpr) : schedule.name;
}

/** "Mon 23 Nov, 09:00" by the clock of a time zone. */
export function instantText(iso: string, timeZone: string): string {
  const at = new Date(iso);
  const day = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    weekday: "short",
    day: "numeric",
    month: "short",
  }).format(at);
  return `${day.replace(",", "")}, ${clockText(at, timeZone)}`;
}

/** "in 3 h · Mon 23 Nov, 09:00", and what the reader's clock says then when it is another one. */
export function nextRunText(
  schedule: Pick<ScheduleView, "nextRunAt" | "timezone">,
  nowMs: number,
  readerZone: string,
): string | null {
  const { nextRunAt, timezone } = schedule;
  if (nextRunAt === null) return null;
  const leftMs = Date.parse(nextRunAt) - nowMs;
  const left = leftMs < 45_000 ? "any moment now" : `in ${formatDuration(leftMs)}`;
  const there = instantText(nextRunAt, timezone);
  const here = instantText(nextRunAt, readerZone);
  if (here === there) return `${left} · ${there}`;
  const isSameDay = here.split(",")[0] === there.split(",")[0];
  const clock = clockText(new Date(nextRunAt), readerZone);
  return `${left} · ${there} (${isSameDay ? clock : here} here)`;
}

/** How the last run went, in a sentence; null before the first has ended. */
export function lastRunText({ lastStatus, lastError }: ScheduleView): string | null {
  switch (lastStatus) {
    case null:
      return null;
    case "ok":
      return "The last run was answered.";
    case "error":
      return `The last run failed: ${lastError ?? "no cause is known."}`;
    case "skipped":
      return `The last time was skipped: ${lastError ?? "no cause is known."}`;
    case "stale":
      return lastError ?? "The last answers had nothing in them.";
  }
}

/** What became of a run, in a word or two. */
export function outcomeText({ outcome, durationMs }: ScheduleRunView): string {
  const took = durationMs === null ? "" : ` in ${durationText(durationMs)}`;
  switch (outcome) {
    case null:
      return "waits or is being answered";
    case "ok":
      return `answered${took}`;
    case "error":
      return `failed${took === "" ? "" : ` after ${durationText(durationMs ?? 0)}`}`;
    case "skipped":
      return "skipped";
    case "stale":
      return `an empty answer${took}`;
  }
}

/** Why a run began, for a person. */
export function causeText({ cause, actorName }: ScheduleRunView): string {
  switch (cause) {
    case "due":
      return "On time";
    case "catch_up":
      return "Late";
    case "manual":
      return actorName.replace(/^.*, run by /, "Run by ");
  }
}

function clockText(at: Date, timeZone: string): string {
  return new Intl.DateTimeFormat("en-GB", {
    timeZone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(at);
}
