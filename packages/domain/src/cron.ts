/** The five fields of a schedule, in the order they are written. */
export const CRON_FIELD_NAMES = ["minute", "hour", "day of month", "month", "day of week"] as const;
export type CronFieldName = (typeof CRON_FIELD_NAMES)[number];

/** One field as it was read. */
export interface CronField {
  /** It says `*`: it restricts nothing. */
  readonly isAny: boolean;
  /** The numbers it allows, ascending, each once; Sunday is 0. */
  readonly values: readonly number[];
}

/** A schedule of five fields, read. */
export interface CronExpression {
  readonly minute: CronField;
  readonly hour: CronField;
  readonly dayOfMonth: CronField;
  readonly month: CronField;
  /** Together with a day of month, either of the two is enough. */
  readonly dayOfWeek: CronField;
}

/** What came of reading a schedule. */
export type CronReading =
  | { readonly kind: "cron"; readonly cron: CronExpression }
  /** `field` is null when there are not five fields. The sentence quotes what is wrong. */
  | { readonly kind: "wrong"; readonly field: CronFieldName | null; readonly sentence: string };

interface Bounds {
  readonly min: number;
  readonly max: number;
  /** Names of the numbers from `min` on. */
  readonly names?: readonly string[];
}

const BOUNDS: Readonly<Record<CronFieldName, Bounds>> = {
  minute: { min: 0, max: 59 },
  hour: { min: 0, max: 23 },
  "day of month": { min: 1, max: 31 },
  month: {
    min: 1,
    max: 12,
    names: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
  },
  // 7 is Sunday as well, so that "FRI-SUN" can be written as 5-7.
  "day of week": { min: 0, max: 7, names: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] },
};

/** Longest text that is read as a schedule, in characters. */
export const MAX_CRON_CHARS = 256;

/** Reads "minute hour day-of-month month day-of-week". SPEC: SC1. Source: wire contract §13. */
export function readCron(text: string): CronReading {
  const parts = text.trim().split(/\s+/);
  if (text.length > MAX_CRON_CHARS || parts.length !== CRON_FIELD_NAMES.length || parts[0] === "") {
    const count = text.trim() === "" ? 0 : parts.length;
    return {
      kind: "wrong",
      field: null,
      sentence: `A schedule has five fields (minute, hour, day of month, month, day of week); this has ${count}.`,
    };
  }
  const fields: CronField[] = [];
  for (const [index, name] of CRON_FIELD_NAMES.entries()) {
    const field = readField(parts[index] ?? "", BOUNDS[name]);
    if (field === null) {
      return { kind: "wrong", field: name, sentence: wrongField(name, parts[index] ?? "") };
    }
    fields.push(field);
  }
  const [minute, hour, dayOfMonth, month, dayOfWeek] = fields as [
    CronField,
    CronField,
    CronField,
    CronField,
    CronField,
  ];
  return { kind: "cron", cron: { minute, hour, dayOfMonth, month, dayOfWeek } };
}

/** The same schedule in numbers alone, without names, ranges and steps. */
export function plainCron(cron: CronExpression): string {
  const { minute, hour, dayOfMonth, month, dayOfWeek } = cron;
  return [minute, hour, dayOfMonth, month, dayOfWeek]
    .map((field) => (field.isAny ? "*" : field.values.join(",")))
    .join(" ");
}

function wrongField(name: CronFieldName, part: string): string {
  const { min, max, names } = BOUNDS[name];
  const last = names?.at(-1);
  const named = names === undefined ? "" : ` or ${names[0]} to ${last}`;
  return `The ${name} “${part.slice(0, 40)}” is not valid: use ${min} to ${max}${named}, *, ranges (1-5), lists (1,3) and steps (*/2).`;
}

function readField(text: string, bounds: Bounds): CronField | null {
  if (text === "*" || text === "?" || text === "*/1") {
    return { isAny: true, values: normal(rangeOf(bounds.min, bounds.max, 1), bounds) };
  }
  const values: number[] = [];
  for (const item of text.split(",")) {
    const found = readItem(item, bounds);
    if (found === null) return null;
    values.push(...found);
  }
  return { isAny: false, values: normal(values, bounds) };
}

function readItem(item: string, bounds: Bounds): number[] | null {
  const match =
    /^(?:(\*)|([0-9]{1,3}|[A-Za-z]{3})(?:-([0-9]{1,3}|[A-Za-z]{3}))?)(?:\/([0-9]{1,3}))?$/.exec(
      item,
    );
  if (match === null) return null;
  const [, star, first, last, stepText] = match;
  const step = stepText === undefined ? 1 : Number(stepText);
  if (step < 1 || step > bounds.max) return null;
  if (star !== undefined) return rangeOf(bounds.min, bounds.max, step);
  const from = readNumber(first ?? "", bounds);
  const to = last === undefined ? null : readNumber(last, bounds, from ?? 0);
  if (from === null || (last !== undefined && to === null)) return null;
  // "5/15" counts from 5 to the end of the field.
  const end = to ?? (stepText === undefined ? from : bounds.max);
  return end < from ? null : rangeOf(from, end, step);
}

/** `after`: a range that ends on Sunday ends on 7. */
function readNumber(text: string, { min, max, names }: Bounds, after = 0): number | null {
  if (/^[0-9]+$/.test(text)) {
    const value = Number(text);
    return value < min || value > max ? null : value;
  }
  const index = names?.indexOf(text.toUpperCase()) ?? -1;
  if (index < 0) return null;
  const value = min + index;
  return value === 0 && after > 0 ? 7 : value;
}

function rangeOf(from: number, to: number, step: number): number[] {
  const values: number[] = [];
  for (let value = from; value <= to; value += step) values.push(value);
  return values;
}

/** Ascending and once each; in the field that goes to 7, Sunday is 0. */
function normal(values: readonly number[], { max }: Bounds): number[] {
  const folded = values.map((value) => (max === 7 ? value % 7 : value));
  return [...new Set(folded)].sort((a, b) => a - b);
}
