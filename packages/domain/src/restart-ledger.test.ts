import fc from "fast-check";
import { expect, it } from "vitest";
import { requestsAtBegin, stagePhases } from "./restart-ledger.ts";
import { ATTEMPT_REASONS } from "./sets.ts";

it("L3: ten writes are one that began and nine that were merged", () => {
  expect(requestsAtBegin({ reason: "files", writes: 10, clicks: 0 })).toEqual([
    { source: "write", outcome: "began", count: 1 },
    { source: "write", outcome: "merged", count: 9 },
  ]);
});

it("L3: what rides along with another reason is merged whole", () => {
  expect(requestsAtBegin({ reason: "user", writes: 2, clicks: 3 })).toEqual([
    { source: "click", outcome: "began", count: 1 },
    { source: "write", outcome: "merged", count: 2 },
    { source: "click", outcome: "merged", count: 2 },
  ]);
  expect(requestsAtBegin({ reason: "crash", writes: 1, clicks: 0 })).toEqual([
    { source: "dead_container", outcome: "began", count: 1 },
    { source: "write", outcome: "merged", count: 1 },
  ]);
});

it("L3: a click with a template is one request, the change it brings and itself", () => {
  expect(requestsAtBegin({ reason: "template", writes: 1, clicks: 1 })).toEqual([
    { source: "template", outcome: "began", count: 1 },
  ]);
});

it("L3: exactly one request begins an attempt, and none is counted twice or less than once", () => {
  const facts = fc.record({
    reason: fc.constantFrom(...ATTEMPT_REASONS),
    writes: fc.nat(50),
    clicks: fc.nat(5),
  });
  fc.assert(
    fc.property(facts, (one) => {
      const counted = requestsAtBegin(one);
      expect(counted.filter(({ outcome }) => outcome === "began")).toHaveLength(1);
      expect(counted.every(({ count }) => count > 0)).toBe(true);
      const sum = counted.reduce((total, { count }) => total + count, 0);
      const given = one.writes + one.clicks;
      const own = given + 1 - sum;
      // The one that began is among what was given, or is a reason of its own.
      expect([0, 1, 2]).toContain(own);
      expect(sum).toBeGreaterThanOrEqual(Math.max(1, given - 1));
    }),
  );
});

it("L6: each stage lasts until the next, and the last one until the attempt ends", () => {
  const stages = [
    { stage: "queued", at: "2026-01-01T12:00:00.000Z" },
    { stage: "creating", at: "2026-01-01T12:00:01.500Z", progress: "pulling" },
  ] as const;
  expect(stagePhases(stages, "2026-01-01T12:00:04.000Z")).toMatchObject([
    { stage: "queued", ms: 1_500, progress: null },
    { stage: "creating", ms: 2_500, progress: "pulling", endedAt: "2026-01-01T12:00:04.000Z" },
  ]);
  expect(stagePhases(stages, null).at(-1)).toMatchObject({ endedAt: null, ms: null });
  expect(stagePhases([], null)).toEqual([]);
});
