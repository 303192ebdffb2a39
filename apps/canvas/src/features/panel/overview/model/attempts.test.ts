import type { AttemptView } from "@molecule/contracts/workspaces";
import { expect, test } from "vitest";
import { mergeAttempts, stageSpans } from "./attempts.ts";

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const attempt = (no: number, over: Partial<AttemptView> = {}): AttemptView => ({
  no,
  reason: "user",
  detail: { sentence: "", merged: [], absorbed: [] },
  actor: { kind: "member", name: "Ada" },
  stage: "booting",
  stages: [
    { stage: "queued", at: at(0) },
    { stage: "booting", at: at(2) },
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

test("a stage lasts until the next one begins, the last one until the attempt is ready", () => {
  expect(stageSpans(attempt(1))).toEqual([{ stage: "queued", ms: 2000 }]);
  expect(stageSpans(attempt(1, { readyAt: at(5) }))).toEqual([
    { stage: "queued", ms: 2000 },
    { stage: "booting", ms: 3000 },
  ]);
});
