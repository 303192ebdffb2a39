import { describe, expect, test } from "vitest";
import { templateSchedules } from "./template-schedules.ts";

const NIGHTLY = { name: "Nightly", cron_expr: "0 2 * * *", prompt: "Tidy up" };

describe("the schedules of a template", () => {
  test("SC14 are read with their defaults; unknown keys are left alone", () => {
    expect(templateSchedules({})).toEqual([]);
    expect(templateSchedules({ schedules: null })).toEqual([]);
    expect(templateSchedules({ schedules: [{ ...NIGHTLY, owner: "Ada" }] })).toEqual([
      { name: "Nightly", cronExpr: "0 2 * * *", timezone: "UTC", prompt: "Tidy up", enabled: true },
    ]);
  });

  test.each([
    ["no list", "nightly", "schedules"],
    ["no name", [{ cron_expr: "* * * * *", prompt: "x" }], "schedules.0.name"],
    ["an empty message", [{ ...NIGHTLY, prompt: " " }], "schedules.0.prompt"],
    ["a wrong time", [{ ...NIGHTLY, cron_expr: "61 * * * *" }], "“61”"],
    ["no time", [{ name: "x", prompt: "x" }], "this has 0"],
    ["one name twice", [NIGHTLY, NIGHTLY], "two schedules are called “Nightly”"],
  ])("SC14 with %s are refused", (_, schedules, told) => {
    expect(() => templateSchedules({ schedules })).toThrow(told);
  });
});
