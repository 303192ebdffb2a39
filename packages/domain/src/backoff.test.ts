import fc from "fast-check";
import { expect, it } from "vitest";
import {
  afterBootFailure,
  backoffDelayMs,
  crashCountAfter,
  DEFAULT_BACKOFF_SETTINGS as S,
  stepRetryDelayMs,
} from "./backoff.ts";

const NOW = new Date("2026-01-01T12:00:00Z");
const before = (ms: number) => new Date(NOW.getTime() - ms);

it("B1: doubles from 10 s and never passes 5 min", () => {
  expect([1, 2, 3, 4, 5, 6, 7].map((n) => backoffDelayMs(n, S) / 1_000)).toEqual([
    10, 20, 40, 80, 160, 300, 300,
  ]);
  fc.assert(
    fc.property(fc.integer({ min: -5, max: 10_000 }), (n) => {
      const delay = backoffDelayMs(n, S);
      expect(delay).toBeGreaterThanOrEqual(S.baseMs);
      expect(delay).toBeLessThanOrEqual(S.capMs);
    }),
  );
});

it("B2: a long run forgets earlier crashes", () => {
  expect(crashCountAfter({ crashCount: 4, readyAt: before(599_999) }, NOW, S)).toBe(5);
  expect(crashCountAfter({ crashCount: 4, readyAt: before(600_000) }, NOW, S)).toBe(1);
  expect(crashCountAfter({ crashCount: 0, readyAt: null }, NOW, S)).toBe(1);
});

it("B3: another generation begins at one", () => {
  const failure = { bootFailures: 3, isRetryable: true, isMachineFault: false };
  expect(afterBootFailure({ ...failure, isSameGeneration: true }, NOW, S).bootFailures).toBe(4);
  expect(afterBootFailure({ ...failure, isSameGeneration: false }, NOW, S).bootFailures).toBe(1);
});

it("B4: the fifth failure of one generation ends the tries", () => {
  const failed = {
    bootFailures: 4,
    isSameGeneration: true,
    isRetryable: true,
    isMachineFault: false,
  };
  expect(afterBootFailure(failed, NOW, S)).toEqual({
    phase: "FAILED",
    bootFailures: 5,
    retryAt: null,
  });
  expect(afterBootFailure({ ...failed, bootFailures: 3 }, NOW, S)).toEqual({
    phase: "BACKOFF",
    bootFailures: 4,
    retryAt: new Date(NOW.getTime() + 80_000),
  });
});

it("B5: what no retry can heal is final at once", () => {
  const failed = {
    bootFailures: 0,
    isSameGeneration: false,
    isRetryable: false,
    isMachineFault: false,
  };
  expect(afterBootFailure(failed, NOW, S).phase).toBe("FAILED");
});

it("B6: a failing step is repeated after 1 s at least and 30 s at most", () => {
  expect([0, 500, 1_000, 4_000, 90_000].map(stepRetryDelayMs)).toEqual([
    1_000, 1_000, 1_000, 4_000, 30_000,
  ]);
});

it("B7: a fault of the machine never ends the tries, and their wait stays bounded", () => {
  const failed = {
    bootFailures: 99,
    isSameGeneration: true,
    isRetryable: true,
    isMachineFault: true,
  };
  expect(afterBootFailure(failed, NOW, S)).toMatchObject({
    phase: "BACKOFF",
    retryAt: new Date(NOW.getTime() + S.capMs),
  });
});
