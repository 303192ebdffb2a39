import type { ScheduleView } from "@molecule/contracts/schedules";
import { expect, test } from "vitest";
import { scheduleSummary } from "./summary.ts";

const schedule = (name: string, more: Partial<ScheduleView> = {}): ScheduleView => ({
  id: name,
  workspaceId: "w",
  name,
  cronExpr: "0 9 * * *",
  timezone: "UTC",
  prompt: "p",
  enabled: true,
  source: "runtime",
  nextRunAt: "2030-01-02T09:00:00Z",
  lastRunAt: null,
  lastStatus: null,
  lastError: null,
  runCount: 0,
  ...more,
});

test("an agent without schedules has no summary", () => {
  expect(scheduleSummary([])).toBeNull();
});

test("the next run is the earliest of those that are on", () => {
  const found = scheduleSummary([
    schedule("late", { nextRunAt: "2030-01-03T09:00:00Z" }),
    schedule("soon"),
    schedule("off", { enabled: false, nextRunAt: null }),
  ]);
  expect(found).toMatchObject({ count: 3, on: 2, next: { name: "soon" }, last: null });
});

test("the last run is the newest that has ended, and what went wrong is told of each", () => {
  const found = scheduleSummary([
    schedule("old", { lastRunAt: "2030-01-01T09:00:00Z", lastStatus: "error", lastError: "x" }),
    schedule("new", { lastRunAt: "2030-01-01T10:00:00Z", lastStatus: "ok" }),
    schedule("running", { lastRunAt: "2030-01-01T11:00:00Z", lastStatus: null }),
  ]);
  expect(found?.last?.name).toBe("new");
  expect(found?.troubled.map((one) => one.name)).toEqual(["old"]);
});

test("with all of them off there is no next run", () => {
  const off = schedule("off", { enabled: false, nextRunAt: null });
  expect(scheduleSummary([off])).toMatchObject({ on: 0, next: null });
});
