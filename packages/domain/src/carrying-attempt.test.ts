import { expect, test } from "vitest";
import { type ApplyFacts, carryingAttempt } from "./carrying-attempt.ts";
import { PHASES } from "./sets.ts";

const facts = (over: Partial<ApplyFacts> = {}): ApplyFacts => ({
  phase: "READY",
  intent: "run",
  backend: "process",
  currentAttempt: 4,
  policy: "settle",
  ...over,
});

test("CF3: a change is carried by the next attempt, or by one whose snapshot is still to come", () => {
  expect(
    Object.fromEntries(PHASES.map((phase) => [phase, carryingAttempt(facts({ phase }))])),
  ).toEqual({
    NEW: 5,
    STOPPING: 4,
    CREATING: 5,
    BOOTING: 5,
    READY: 5,
    BACKOFF: 5,
    FAILED: 5,
    PAUSED: 5,
    DELETING: null,
    DELETED: null,
  });
});

test("CF3: what is held begins nothing, but rides along with what begins anyway", () => {
  const held = (phase: ApplyFacts["phase"]) => carryingAttempt(facts({ phase, policy: "hold" }));
  expect(held("READY")).toBeNull();
  expect(held("BOOTING")).toBeNull();
  expect(held("STOPPING")).toBe(4);
  expect(held("BACKOFF")).toBe(5);
});

test("CF3: nothing is carried to what rests or runs elsewhere", () => {
  expect(carryingAttempt(facts({ intent: "paused" }))).toBeNull();
  expect(carryingAttempt(facts({ backend: "external" }))).toBeNull();
});
