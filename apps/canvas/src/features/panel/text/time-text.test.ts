import { expect, test } from "vitest";
import { dayText, durationText, untilText } from "./time-text.ts";

const now = Date.parse("2026-03-10T12:00:00Z");
const before = (seconds: number) => new Date(now - seconds * 1000).toISOString();

test.each([
  [400, "0.4 s"],
  [8_000, "8 s"],
  [48_400, "48 s"],
  [185_000, "3 min 5 s"],
  [120_000, "2 min"],
  [7_440_000, "2 h 4 min"],
])("%i ms read as %s", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test("a countdown never shows a negative number", () => {
  expect(untilText(before(-14), now)).toBe("14 s");
  expect(untilText(before(3), now)).toBe("now");
});

test("days are named as a person names them", () => {
  expect(dayText(before(60), now)).toBe("Today");
  expect(dayText(before(86_400), now)).toBe("Yesterday");
  expect(dayText(before(10 * 86_400), now)).toBe("28 February");
});
