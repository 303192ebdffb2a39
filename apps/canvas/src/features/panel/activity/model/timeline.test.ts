import type { ActivityView } from "@molecule/contracts/panel";
import { expect, test } from "vitest";
import { actorOf, byDay, directionOf, mergeRows, rowText } from "./timeline.ts";

function row(seq: number, over: Partial<ActivityView> = {}): ActivityView {
  return {
    id: `r${seq}`,
    seq,
    type: "a2a_receive",
    status: "ok",
    summary: "",
    method: "message/send",
    sourceId: null,
    targetId: "w",
    sourceName: null,
    targetName: "Ada",
    actorName: null,
    durationMs: null,
    errorDetail: null,
    request: null,
    response: null,
    at: "2026-01-01T00:00:00.000Z",
    ...over,
  };
}

test("a row that is sent again replaces itself and keeps its place", () => {
  const merged = mergeRows([row(3), row(1)], [row(2), row(3, { status: "error" })]);
  expect(merged.map((each) => [each.seq, each.status])).toEqual([
    [3, "error"],
    [2, "ok"],
    [1, "ok"],
  ]);
});

test("rows are cut where the day changes", () => {
  const rows = [
    row(3),
    row(2, { at: "2025-12-31T10:00:00Z" }),
    row(1, { at: "2025-12-31T09:00:00Z" }),
  ];
  const days = byDay(rows, (iso) => iso.slice(0, 10));
  expect(days.map((day) => [day.day, day.rows.length])).toEqual([
    ["2026-01-01", 1],
    ["2025-12-31", 2],
  ]);
});

test("a message between agents names both ends", () => {
  const ends = (over: Partial<ActivityView>) => directionOf(row(1, over), "w", "Me");
  expect(ends({ sourceName: "Lead" })).toEqual({ from: "Lead", to: "Ada" });
  expect(ends({ actorName: "Me" })).toEqual({ from: "You", to: "Ada" });
  expect(ends({ actorName: "Bob" })).toEqual({ from: "Bob", to: "Ada" });
  expect(ends({ method: "notify" })).toEqual({ from: "Ada", to: "You" });
  expect(ends({ type: "lifecycle" })).toBeNull();
});

test("a message row says the message, any other row its summary", () => {
  expect(rowText(row(1, { request: "Hello", summary: "message/send → Ada" }))).toBe("Hello");
  const notify = { method: "notify", response: "Done", summary: "Agent message: Done" };
  expect(rowText(row(1, notify))).toBe("Done");
  expect(rowText(row(1, { type: "agent_log", request: "{}", summary: "Step 1" }))).toBe("Step 1");
});

test("an actor is named once", () => {
  const summary = "Created by Bob";
  expect(actorOf(row(1, { type: "lifecycle", summary, actorName: "Bob" }))).toBeNull();
  expect(actorOf(row(1, { type: "change", summary: "model changed", actorName: "Bob" }))).toBe(
    "Bob",
  );
});
