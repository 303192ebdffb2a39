import { describe, expect, test } from "vitest";
import { plainCron, readCron } from "./cron.ts";
import { describeCron } from "./describe-cron.ts";

function cronOf(text: string) {
  const read = readCron(text);
  if (read.kind === "wrong") throw new Error(read.sentence);
  return read.cron;
}

describe("reading a schedule", () => {
  test.each([
    ["* * * * *", "* * * * *"],
    ["*/15 9-11 1,15 jan,JUL mon-fri", "0,15,30,45 9,10,11 1,15 1,7 1,2,3,4,5"],
    ["5/20 0 ? * 7", "5,25,45 0 * * 0"],
    ["0 0 * * fri-sun", "0 0 * * 0,5,6"],
    ["  0   9 * * sun-tue ", "0 9 * * 0,1,2"],
    ["*/1 */6 */10 */3 */2", "* 0,6,12,18 1,11,21,31 1,4,7,10 0,2,4,6"],
  ])("SC1 %s says %s", (text, plain) => {
    expect(plainCron(cronOf(text))).toBe(plain);
  });

  test.each([
    ["60 * * * *", "minute", "“60”"],
    ["* 24 * * *", "hour", "0 to 23"],
    ["* * 0 * *", "day of month", "1 to 31"],
    ["* * * 13 *", "month", "JAN to DEC"],
    ["* * * * 8", "day of week", "SUN to SAT"],
    ["5-1 * * * *", "minute", "“5-1”"],
    ["*/0 * * * *", "minute", "“*/0”"],
    ["1,,2 * * * *", "minute", "“1,,2”"],
    ["0 9 L * *", "day of month", "“L”"],
    ["0 9 * * mon#2", "day of week", "“mon#2”"],
    ["-1 * * * *", "minute", "“-1”"],
    ["1.5 * * * *", "minute", "“1.5”"],
  ])("SC1 %s is refused for its %s", (text, field, quoted) => {
    const read = readCron(text);
    expect(read).toMatchObject({ kind: "wrong", field });
    expect(read.kind === "wrong" && read.sentence).toContain(quoted);
  });

  test.each([
    ["", 0],
    ["   ", 0],
    ["* * * *", 4],
    ["0 * * * * *", 6],
    ["@daily", 1],
    [`${"1,".repeat(200)}1 * * * *`, 5],
  ])("SC1 “%.9s” has not five fields of a bearable length", (text, count) => {
    expect(readCron(text)).toMatchObject({
      kind: "wrong",
      field: null,
      sentence: expect.stringContaining(`this has ${count}`),
    });
  });
});

describe("the reading in words", () => {
  test.each([
    ["* * * * *", "Every minute"],
    ["*/15 * * * *", "Every 15 minutes"],
    ["0 * * * *", "Every hour"],
    ["5 * * * *", "Every hour, 5 minutes past"],
    ["0 */6 * * *", "Every 6 hours"],
    ["0 9 * * *", "At 09:00 every day"],
    ["30 9,13,17 * * *", "At 09:30, 13:30 and 17:30 every day"],
    ["0,20 9 * * *", "At 09:00 and 09:20 every day"],
    ["0 9 * * 1-5", "At 09:00 from Monday to Friday"],
    ["0 9 * * 0,6", "At 09:00 at weekends"],
    ["0 9 * * 1", "At 09:00 on Mondays"],
    ["0 9 * * 0,1", "At 09:00 on Mondays and Sundays"],
    ["0 0 1 * *", "At 00:00 on the 1st of the month"],
    ["0 0 2,3,11,22 * *", "At 00:00 on the 2nd, 3rd, 11th and 22nd of the month"],
    ["0 0 1 * 1", "At 00:00 on the 1st of the month and on Mondays"],
    ["0 0 1 1 *", "At 00:00 on the 1st of the month in January"],
    ["0 12 * 6,7 *", "At 12:00 in June and July"],
    ["*/10 9-17 * * 1-5", "Every 10 minutes from 09:00 to 17:59 from Monday to Friday"],
    ["15 8-18 * * *", "Every hour from 08:15 to 18:15"],
    ["7,37 * * * *", "At 7 and 37 minutes past every hour"],
    ["*/30 9,11,13 * * *", "Every 30 minutes in the hours 09, 11 and 13"],
  ])("SC1 %s: %s", (text, words) => {
    expect(describeCron(cronOf(text))).toBe(words);
  });
});
