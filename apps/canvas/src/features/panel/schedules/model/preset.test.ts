import { describe, expect, test } from "vitest";
import { cronOf, FIRST_RHYTHM, PRESET_KINDS, rhythmOf } from "./preset.ts";
import { causeText, instantText, nextRunText, outcomeText, titleOf } from "./schedule-text.ts";

describe("a rhythm", () => {
  test.each([
    ["5 * * * *", "hour"],
    ["30 9 * * *", "day"],
    ["0 9 * * 1-5", "weekdays"],
    ["0 9 * * MON-FRI", "weekdays"],
    ["15 18 * * 0", "week"],
    ["0 0 31 * *", "month"],
    ["*/5 * * * *", "custom"],
    ["0 9 1 * 1", "custom"],
    ["0 9 * 6 *", "custom"],
    ["0 9,17 * * *", "custom"],
    ["0 * * * 1", "custom"],
    ["nonsense", "custom"],
  ])("of %s is %s, and says the same again", (cron, kind) => {
    const rhythm = rhythmOf(cron);
    expect(rhythm.kind).toBe(kind);
    expect(rhythmOf(cronOf(rhythm))).toEqual({ ...rhythm, custom: cronOf(rhythm) });
  });

  test("of every kind is a schedule", () => {
    for (const kind of PRESET_KINDS) {
      expect(cronOf({ ...FIRST_RHYTHM, kind, time: "07:05" })).toMatch(
        /^\d+ (\*|\d+) (\*|\d+) \* \S+$/,
      );
    }
  });
});

describe("the words of a schedule", () => {
  const nowMs = Date.parse("2026-11-20T12:00:00Z");
  const next = { nextRunAt: "2026-11-23T08:00:00Z", timezone: "Europe/Berlin" };

  test("say the next run by its own clock, and by the reader's when that is another", () => {
    expect(instantText(next.nextRunAt, "UTC")).toBe("Mon 23 Nov, 08:00");
    expect(nextRunText(next, nowMs, "Europe/Berlin")).toBe("in 3 d · Mon 23 Nov, 09:00");
    expect(nextRunText(next, nowMs, "UTC")).toBe("in 3 d · Mon 23 Nov, 09:00 (08:00 here)");
    expect(nextRunText(next, nowMs, "Pacific/Honolulu")).toMatch(/\(Sun 22 Nov, 22:00 here\)$/);
    expect(nextRunText({ ...next, nextRunAt: null }, nowMs, "UTC")).toBeNull();
    const soon = { ...next, nextRunAt: "2026-11-20T12:00:10Z" };
    expect(nextRunText(soon, nowMs, "Europe/Berlin")).toMatch(/^any moment now/);
  });

  test("name it by its time when it has no name", () => {
    expect(titleOf({ name: "Report", cronExpr: "0 9 * * *" })).toBe("Report");
    expect(titleOf({ name: "", cronExpr: "0 9 * * *" })).toBe("At 09:00 every day");
    expect(titleOf({ name: "", cronExpr: "odd" })).toBe("odd");
  });

  test("say of a run why it began and how it ended", () => {
    const run = {
      id: "1",
      cause: "manual" as const,
      dueAt: "",
      startedAt: "",
      durationMs: 2_400,
      outcome: "error" as const,
      note: null,
      missed: 0,
      actorName: "Schedule “Report”, run by Ada",
    };
    expect(causeText(run)).toBe("Run by Ada");
    expect(causeText({ ...run, cause: "catch_up" })).toBe("Late");
    expect(outcomeText(run)).toBe("failed after 2.4 s");
    expect(outcomeText({ ...run, outcome: "ok" })).toBe("answered in 2.4 s");
    expect(outcomeText({ ...run, outcome: null })).toBe("waits or is being answered");
  });
});
