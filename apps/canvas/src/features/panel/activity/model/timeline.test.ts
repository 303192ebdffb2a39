import type { ActivityView } from "@molecule/contracts/panel";
import { expect, test } from "vitest";
import { byDay, directionOf, mergeRows, readableBody } from "./timeline.ts";

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
  expect(directionOf(row(1, { sourceName: "Lead" }), "w")).toEqual({ from: "Lead", to: "Ada" });
  expect(directionOf(row(1), "w")).toEqual({ from: "You", to: "Ada" });
  expect(directionOf(row(1, { method: "notify" }), "w")).toEqual({ from: "Ada", to: "You" });
  expect(directionOf(row(1, { type: "lifecycle" }), "w")).toBeNull();
});

test("a JSON body is indented and any other text is left alone", () => {
  expect(readableBody('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(readableBody("plain")).toBe("plain");
});
