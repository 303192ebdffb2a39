import type { CronExpression, CronField } from "./cron.ts";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
/** Times of a day that are named one by one. */
const MAX_NAMED_TIMES = 4;

/** A schedule as a person reads it: "At 09:00 from Monday to Friday". SPEC: SC1. */
export function describeCron(cron: CronExpression): string {
  const { text, isOnce } = times(cron);
  const days = daysOf(cron);
  const months = cron.month.isAny ? "" : `in ${listed(cron.month.values.map(monthName))}`;
  const when = [days === "" && isOnce && months === "" ? "every day" : days, months];
  return [text, ...when].filter((part) => part !== "").join(" ");
}

/** `isOnce`: it names times of the day, so "every day" has to be said. */
function times({ minute, hour }: CronExpression): { text: string; isOnce: boolean } {
  const every = rhythm(minute);
  const span = run(hour.values);
  const isAllDay = hour.values.length === 24;
  if (every !== null) {
    const text = every === 1 ? "Every minute" : `Every ${every} minutes`;
    if (isAllDay) return { text, isOnce: false };
    if (span !== null) {
      return {
        text: `${text} from ${clock(span.from, 0)} to ${clock(span.to, 59)}`,
        isOnce: false,
      };
    }
    return { text: `${text} in the hours ${listed(hour.values.map(twoDigits))}`, isOnce: false };
  }
  const [only] = minute.values;
  if (minute.values.length === 1 && only !== undefined) return hourly(only, hour, isAllDay);
  const past = `${listed(minute.values.map(String))} minutes past`;
  if (isAllDay) return { text: `At ${past} every hour`, isOnce: false };
  return named(minute, hour) ?? { text: `At ${past} ${hoursText(hour)}`, isOnce: true };
}

function hourly(minute: number, hour: CronField, isAllDay: boolean) {
  const past = minute === 0 ? "" : `, ${minute} minute${minute === 1 ? "" : "s"} past`;
  if (isAllDay) return { text: `Every hour${past}`, isOnce: false };
  const step = stepOf(hour.values, 24);
  if (step !== null && hour.values.length > 1 && hour.values[0] === 0) {
    return { text: `Every ${step} hours${past}`, isOnce: false };
  }
  const span = run(hour.values);
  if (span !== null && hour.values.length > MAX_NAMED_TIMES) {
    const from = clock(span.from, minute);
    return { text: `Every hour from ${from} to ${clock(span.to, minute)}`, isOnce: false };
  }
  return {
    text: `At ${listed(hour.values.map((value) => clock(value, minute)))}`,
    isOnce: true,
  };
}

function named(minute: CronField, hour: CronField) {
  const all = hour.values.flatMap((h) => minute.values.map((m) => clock(h, m)));
  return all.length > MAX_NAMED_TIMES ? null : { text: `At ${listed(all)}`, isOnce: true };
}

function hoursText(hour: CronField): string {
  return `the hours ${listed(hour.values.map(twoDigits))}`;
}

function daysOf({ dayOfMonth, dayOfWeek }: CronExpression): string {
  const dates = dayOfMonth.isAny
    ? ""
    : `on the ${listed(dayOfMonth.values.map(ordinal))} of the month`;
  const days = dayOfWeek.isAny ? "" : weekText(dayOfWeek.values);
  return dates !== "" && days !== "" ? `${dates} and ${days}` : `${dates}${days}`;
}

function weekText(values: readonly number[]): string {
  if (values.length === 7) return "on every day of the week";
  const text = values.join(",");
  if (text === "0,6") return "at weekends";
  const span = run(values);
  if (span !== null && values.length > 2) {
    return `from ${DAYS[span.from]} to ${DAYS[span.to]}`;
  }
  // The week of a person begins on Monday.
  const days = [...values].sort((a, b) => ((a + 6) % 7) - ((b + 6) % 7));
  return `on ${listed(days.map((day) => `${DAYS[day]}s`))}`;
}

/** Every n minutes of the hour, all through it; null when it is anything else. */
function rhythm(minute: CronField): number | null {
  if (minute.values.length === 60) return 1;
  return minute.values[0] === 0 && minute.values.length > 1 ? stepOf(minute.values, 60) : null;
}

/** The even distance between values that goes on over the end of the circle; null without one. */
function stepOf(values: readonly number[], circle: number): number | null {
  const step = circle / values.length;
  const first = values[0] ?? 0;
  return values.every((value, index) => value === first + index * step) ? step : null;
}

/** First and last of neighbours without a hole; null for anything else. */
function run(values: readonly number[]): { from: number; to: number } | null {
  const from = values[0];
  const to = values.at(-1);
  if (from === undefined || to === undefined || to - from + 1 !== values.length) return null;
  return { from, to };
}

function listed(items: readonly string[]): string {
  const last = items.at(-1) ?? "";
  return items.length < 2 ? last : `${items.slice(0, -1).join(", ")} and ${last}`;
}

function ordinal(value: number): string {
  const teens = value % 100 > 10 && value % 100 < 14;
  const ending = teens ? "th" : (["th", "st", "nd", "rd"][value % 10] ?? "th");
  return `${value}${ending}`;
}

const monthName = (month: number) => MONTHS[month - 1] ?? "";
const twoDigits = (value: number) => String(value).padStart(2, "0");
const clock = (hour: number, minute: number) => `${twoDigits(hour)}:${twoDigits(minute)}`;
