import type { AttemptView } from "@molecule/contracts/workspaces";
import { expect, test } from "vitest";
import { carriedRows, mergeAttempts, phaseRows } from "./attempts.ts";

const BEGUN = Date.UTC(2026, 0, 1);
const at = (second: number) => new Date(BEGUN + second * 1000).toISOString();
const attempt = (no: number, over: Partial<AttemptView> = {}): AttemptView => ({
  no,
  reason: "user",
  detail: { sentence: "", merged: [], absorbed: [] },
  actor: { kind: "member", name: "Ada" },
  stage: "booting",
  stages: [
    { stage: "queued", at: at(0) },
    { stage: "booting", at: at(2), progress: "pulling 3 of 9" },
  ],
  expectedMs: null,
  outcome: null,
  failure: null,
  createdAt: at(0),
  readyAt: null,
  endedAt: null,
  ...over,
});

test("the live attempt replaces its loaded twin and comes first", () => {
  const merged = mergeAttempts([attempt(1), attempt(2)], attempt(2, { outcome: "ready" }));
  expect(merged.map((each) => [each.no, each.outcome])).toEqual([
    [2, "ready"],
    [1, null],
  ]);
});

test("a stage lasts until the next one begins, and the last one until the attempt is ready", () => {
  const rows = phaseRows(attempt(1, { outcome: "ready", readyAt: at(8), endedAt: at(900) }), 0);
  expect(rows).toEqual([
    { stage: "queued", ms: 2000, progress: null, isRunning: false, from: 0, share: 0.25 },
    {
      stage: "booting",
      ms: 6000,
      progress: "pulling 3 of 9",
      isRunning: false,
      from: 0.25,
      share: 0.75,
    },
  ]);
});

test("the current stage of an open attempt lasts until now", () => {
  const [, booting] = phaseRows(attempt(1), BEGUN + 4000);
  expect(booting).toMatchObject({ ms: 2000, isRunning: true, from: 0.5, share: 0.5 });
});

test("a clock that is behind the platform's shows no negative time", () => {
  for (const row of phaseRows(attempt(1), BEGUN - 60_000)) {
    expect(row.ms).toBeGreaterThanOrEqual(0);
    expect(row.from + row.share).toBeLessThanOrEqual(1);
  }
});

test("what an attempt carries is named with whose it is, and says how many names are missing", () => {
  const span = { from: at(0), to: at(1) };
  const rows = carriedRows(
    [
      { kind: "setting", count: 1, names: ["model"], actors: ["Ada"], ...span },
      { kind: "file", count: 12, names: ["a.md", "b.md"], actors: ["Ben", "Ada", "Cy"], ...span },
    ],
    "Ada",
  );
  expect(rows).toEqual([
    { kind: "setting", title: "1 setting", names: ["model"], moreCount: 0, by: "you" },
    {
      kind: "file",
      title: "12 files",
      names: ["a.md", "b.md"],
      moreCount: 10,
      by: "Ben, you and Cy",
    },
  ]);
});
