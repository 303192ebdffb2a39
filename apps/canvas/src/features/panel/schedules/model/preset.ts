import { readCron } from "@molecule/domain/cron";

/** The rhythms that need no knowledge of cron, and the way out of them. */
export const PRESET_KINDS = ["hour", "day", "weekdays", "week", "month", "custom"] as const;
export type PresetKind = (typeof PRESET_KINDS)[number];

/** What each is called. */
export const PRESET_TITLES: Readonly<Record<PresetKind, string>> = {
  hour: "Every hour",
  day: "Every day",
  weekdays: "Monday to Friday",
  week: "Once a week",
  month: "Once a month",
  custom: "Something else",
};

/** A rhythm as the form holds it; what a kind does not use is kept for when it is chosen again. */
export interface Rhythm {
  readonly kind: PresetKind;
  /** "09:00"; of every hour only the minutes count. */
  readonly time: string;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly date: number;
  /** The five fields, for `custom`. */
  readonly custom: string;
}

/** What a new schedule begins with. */
export const FIRST_RHYTHM: Rhythm = {
  kind: "weekdays",
  time: "09:00",
  weekday: 1,
  date: 1,
  custom: "0 9 * * 1-5",
};

/** The five fields of a rhythm. */
export function cronOf({ kind, time, weekday, date, custom }: Rhythm): string {
  const [hour = 0, minute = 0] = time.split(":").map(Number);
  switch (kind) {
    case "hour":
      return `${minute} * * * *`;
    case "day":
      return `${minute} ${hour} * * *`;
    case "weekdays":
      return `${minute} ${hour} * * 1-5`;
    case "week":
      return `${minute} ${hour} * * ${weekday}`;
    case "month":
      return `${minute} ${hour} ${date} * *`;
    case "custom":
      return custom;
  }
}

/** The rhythm of five fields; `custom` when no other says the same. */
export function rhythmOf(cronExpr: string): Rhythm {
  const custom: Rhythm = { ...FIRST_RHYTHM, kind: "custom", custom: cronExpr };
  const read = readCron(cronExpr);
  if (read.kind === "wrong") return custom;
  const { minute, hour, dayOfMonth, month, dayOfWeek } = read.cron;
  const single = (values: readonly number[]) => (values.length === 1 ? (values[0] ?? null) : null);
  const at = single(minute.values);
  if (at === null || !month.isAny) return custom;
  const found = { ...custom, time: `00:${twoDigits(at)}` };
  if (hour.isAny) {
    return dayOfMonth.isAny && dayOfWeek.isAny ? { ...found, kind: "hour" } : custom;
  }
  const hourAt = single(hour.values);
  if (hourAt === null) return custom;
  const timed = { ...found, time: `${twoDigits(hourAt)}:${twoDigits(at)}` };
  const date = single(dayOfMonth.values);
  const weekday = single(dayOfWeek.values);
  if (dayOfWeek.isAny) {
    if (dayOfMonth.isAny) return { ...timed, kind: "day" };
    return date === null ? custom : { ...timed, kind: "month", date };
  }
  if (!dayOfMonth.isAny) return custom;
  if (dayOfWeek.values.join() === "1,2,3,4,5") return { ...timed, kind: "weekdays" };
  return weekday === null ? custom : { ...timed, kind: "week", weekday };
}

const twoDigits = (value: number) => String(value).padStart(2, "0");
