import { readCron } from "@molecule/domain/cron";
import { describe, expect, test } from "vitest";
import { isTimeZone, RunTimes } from "./run-times.ts";

function timesOf(cron: string, zone: string): RunTimes {
  const read = readCron(cron);
  if (read.kind === "wrong") throw new Error(read.sentence);
  return new RunTimes(read.cron, zone);
}

/** The next `count` times after an instant, as ISO text without seconds. */
function next(cron: string, zone: string, from: string, count: number): string[] {
  const times = timesOf(cron, zone);
  const found: string[] = [];
  let at = times.after(new Date(from));
  while (at !== null && found.length < count) {
    found.push(at.toISOString().replace(":00.000Z", "Z"));
    at = times.after(at);
  }
  return found;
}

describe("the times of a schedule", () => {
  test.each([
    ["0 9 * * *", "UTC", "2026-03-01T08:59:59.999Z", ["2026-03-01T09:00Z", "2026-03-02T09:00Z"]],
    ["0 9 * * *", "UTC", "2026-03-01T09:00:00Z", ["2026-03-02T09:00Z", "2026-03-03T09:00Z"]],
    ["0 9 * * *", "Europe/Berlin", "2026-07-01T00:00Z", ["2026-07-01T07:00Z", "2026-07-02T07:00Z"]],
    ["0 9 * * 1-5", "UTC", "2026-03-06T09:00Z", ["2026-03-09T09:00Z", "2026-03-10T09:00Z"]],
    ["0 0 13 * 5", "UTC", "2026-03-07T00:00Z", ["2026-03-13T00:00Z", "2026-03-20T00:00Z"]],
    ["0 0 31 * *", "UTC", "2026-03-31T00:00Z", ["2026-05-31T00:00Z", "2026-07-31T00:00Z"]],
    [
      "*/20 * * * *",
      "Asia/Kolkata",
      "2026-03-01T00:01Z",
      ["2026-03-01T00:10Z", "2026-03-01T00:30Z"],
    ],
    [
      "0 0 * * *",
      "Pacific/Kiritimati",
      "2026-03-01T00:00Z",
      ["2026-03-01T10:00Z", "2026-03-02T10:00Z"],
    ],
    [
      "0 12 * * *",
      "America/New_York",
      "2026-03-07T18:00Z",
      ["2026-03-08T16:00Z", "2026-03-09T16:00Z"],
    ],
  ])("SC2 %s in %s after %s", (cron, zone, from, expected) => {
    expect(next(cron, zone, from, 2)).toEqual(expected);
  });

  test("SC3 a time that the clocks jump over comes when they have jumped, once", () => {
    // Berlin goes from 02:00 to 03:00 on 29 March 2026, at 01:00 UTC.
    const from = "2026-03-28T01:30Z";
    expect(next("30 2 * * *", "Europe/Berlin", from, 3)).toEqual([
      "2026-03-29T01:00Z",
      "2026-03-30T00:30Z",
      "2026-03-31T00:30Z",
    ]);
    expect(next("0,20,40 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", 2)).toEqual([
      "2026-03-29T01:00Z",
      "2026-03-30T00:00Z",
    ]);
    // Lord Howe moves by half an hour: from 02:00 to 02:30 on 4 October 2026.
    expect(next("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00Z", 2)).toEqual([
      "2026-10-03T15:30Z",
      "2026-10-04T15:15Z",
    ]);
  });

  test("SC3 a time that the clocks repeat comes the first time only", () => {
    // Berlin goes from 03:00 back to 02:00 on 25 October 2026, at 01:00 UTC.
    expect(next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", 2)).toEqual([
      "2026-10-25T00:30Z",
      "2026-10-26T01:30Z",
    ]);
    // Also for somebody who asks between the two.
    expect(next("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10Z", 1)).toEqual([
      "2026-10-26T01:30Z",
    ]);
    expect(next("30 1 * * *", "America/New_York", "2026-10-31T12:00Z", 2)).toEqual([
      "2026-11-01T05:30Z",
      "2026-11-02T06:30Z",
    ]);
  });

  test("SC3 a schedule of every hour goes by the time that passes", () => {
    expect(next("30 * * * *", "Europe/Berlin", "2026-03-29T00:00Z", 3)).toEqual([
      "2026-03-29T00:30Z",
      "2026-03-29T01:30Z",
      "2026-03-29T02:30Z",
    ]);
    expect(next("30 * * * *", "Europe/Berlin", "2026-10-24T23:45Z", 4)).toEqual([
      "2026-10-25T00:30Z",
      "2026-10-25T01:30Z",
      "2026-10-25T02:30Z",
      "2026-10-25T03:30Z",
    ]);
  });

  test("SC3 a schedule of every hour on some days finds the first of them, changes or not", () => {
    expect(next("0 * 1 1 *", "Europe/Berlin", "2026-03-28T00:00Z", 2)).toEqual([
      "2026-12-31T23:00Z",
      "2027-01-01T00:00Z",
    ]);
    expect(next("0 * 25 10 *", "Europe/Berlin", "2026-10-25T00:00Z", 3)).toEqual([
      "2026-10-25T01:00Z",
      "2026-10-25T02:00Z",
      "2026-10-25T03:00Z",
    ]);
  });

  test("SC3 every minute of the days around a change has one time, in order", () => {
    for (const from of ["2026-03-28T22:00Z", "2026-10-24T22:00Z"]) {
      const times = timesOf("* * * * *", "Europe/Berlin");
      let at = new Date(from);
      for (let minute = 1; minute <= 6 * 60; minute += 1) {
        const following = times.after(at);
        expect(following?.getTime()).toBe(Date.parse(from) + minute * 60_000);
        at = following ?? at;
      }
    }
  });

  test("SC4 a date that never comes has no time, one of leap years waits for them", () => {
    expect(timesOf("0 0 30 2 *", "UTC").after(new Date(0))).toBeNull();
    expect(timesOf("0 0 31 4,6,9,11 *", "Europe/Berlin").after(new Date(0))).toBeNull();
    expect(next("0 0 29 2 *", "UTC", "2026-03-01T00:00Z", 2)).toEqual([
      "2028-02-29T00:00Z",
      "2032-02-29T00:00Z",
    ]);
  });

  test("SC5 the times between two instants are counted, the later one included, up to a bound", () => {
    const times = timesOf("0 * * * *", "UTC");
    const from = new Date("2026-03-01T09:00Z");
    expect(times.countBetween(from, new Date("2026-03-01T12:00Z"), 99)).toBe(3);
    expect(times.countBetween(from, new Date("2026-03-01T09:59Z"), 99)).toBe(0);
    expect(times.countBetween(from, new Date("2027-03-01T09:00Z"), 99)).toBe(99);
  });
});

test("SC1 a time zone is a name, no offset", () => {
  for (const zone of ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"]) {
    expect(isTimeZone(zone), zone).toBe(true);
  }
  for (const zone of ["", "+02:00", "Europe/Atlantis", "Local", "../etc", "x".repeat(65)]) {
    expect(isTimeZone(zone), zone).toBe(false);
  }
});
