import { type CronExpression, readCron } from "@molecule/domain/cron";
import { expect, test } from "vitest";
import { RunTimes } from "./run-times.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Zones that change by an hour, half an hour, two hours, and not at all; with a change each in 2026. */
const CHANGES = [
  ["Europe/Berlin", "2026-03-29T01:00Z"],
  ["Europe/Berlin", "2026-10-25T01:00Z"],
  ["America/New_York", "2026-03-08T07:00Z"],
  ["America/New_York", "2026-11-01T06:00Z"],
  ["Australia/Lord_Howe", "2026-04-04T15:00Z"],
  ["Australia/Lord_Howe", "2026-10-03T15:30Z"],
  ["America/Santiago", "2026-09-06T04:00Z"],
  ["Antarctica/Troll", "2026-03-29T01:00Z"],
  ["Antarctica/Troll", "2026-10-25T01:00Z"],
  ["Asia/Kolkata", "2026-06-01T00:00Z"],
] as const;

const ROUNDS = process.env.MOLECULE_TEST_LONG === "1" ? 200 : 5;

/** The same numbers every time. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function randomCron(random: (below: number) => number): string {
  const minutes = ["*", "0", "30", "15,45", "*/20", "59", "7"];
  const hours = ["*", "*", "1", "2", "2,3", "0-3", "*/2", "23", "0"];
  const pick = (from: readonly string[]) => from[random(from.length)];
  return `${pick(minutes)} ${pick(hours)} ${pick(["*", "*", "29,25,8,1", "*/2"])} * ${pick(["*", "*", "0", "1-5"])}`;
}

/** What the clock on the wall shows at each minute, from Intl alone. */
function wallsOf(zone: string, from: number, minutes: number): number[] {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: zone,
    dateStyle: "short",
    timeStyle: "medium",
  });
  return Array.from({ length: minutes }, (_, n) =>
    Date.parse(`${format.format(from + n * MINUTE).replace(" ", "T")}Z`),
  );
}

function matches(cron: CronExpression, wall: number): boolean {
  const at = new Date(wall);
  const { minute, hour, dayOfMonth, month, dayOfWeek } = cron;
  const isDate = dayOfMonth.values.includes(at.getUTCDate());
  const isWeekday = dayOfWeek.values.includes(at.getUTCDay());
  const isDay = dayOfMonth.isAny || dayOfWeek.isAny ? isDate && isWeekday : isDate || isWeekday;
  return (
    isDay &&
    minute.values.includes(at.getUTCMinutes()) &&
    hour.values.includes(at.getUTCHours()) &&
    month.values.includes(at.getUTCMonth() + 1)
  );
}

/** SC3 said minute by minute: with hours, whatever the wall reaches for the first time; else what it shows. */
function byMinute(cron: CronExpression, walls: readonly number[]): Set<number> {
  const isEveryHour = cron.hour.values.length === 24;
  const fires = new Set<number>();
  let highest = (walls[0] ?? 0) - MINUTE;
  for (const [index, wall] of walls.entries()) {
    if (isEveryHour && matches(cron, wall)) fires.add(index);
    for (let reached = highest + MINUTE; !isEveryHour && reached <= wall; reached += MINUTE) {
      if (matches(cron, reached)) fires.add(index);
    }
    highest = Math.max(highest, wall);
  }
  return fires;
}

test("SC2 SC3 the times around a change of the clocks are those of a walk minute by minute", () => {
  const random = seeded(20_261_121);
  let compared = 0;
  for (const [zone, change] of CHANGES) {
    const start = Date.parse(change) - DAY;
    const walls = wallsOf(zone, start, (2 * DAY) / MINUTE);
    for (let round = 0; round < ROUNDS; round += 1) {
      const text = randomCron(random);
      const read = readCron(text);
      if (read.kind === "wrong") throw new Error(read.sentence);
      const times = new RunTimes(read.cron, zone);
      const expected = [...byMinute(read.cron, walls)].filter((index) => index > 180);
      const found: number[] = [];
      let at = times.after(new Date(start + 180 * MINUTE));
      while (at !== null && at.getTime() < start + 2 * DAY) {
        found.push((at.getTime() - start) / MINUTE);
        at = times.after(at);
      }
      expect(found, `${text} in ${zone} around ${change}`).toEqual(expected);
      compared += found.length;
    }
  }
  expect(compared).toBeGreaterThan(50 * ROUNDS);
}, 300_000);
