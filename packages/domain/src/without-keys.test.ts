import { expect, it } from "vitest";
import { PHASES } from "./sets.ts";
import { withoutKeys } from "./without-keys.ts";

it("R30 what rests and lacks a key fails without an attempt", () => {
  for (const phase of ["NEW", "PAUSED", "FAILED"] as const) {
    expect(withoutKeys({ phase, down: null })).toBe("fails");
  }
});

it("R31 what runs and lacks a key for its next start runs on; what is down does not", () => {
  expect(withoutKeys({ phase: "READY", down: null })).toBe("runsOn");
  expect(withoutKeys({ phase: "READY", down: "platform_stopped" })).toBe("attempt");
});

it("R30 where something has to be ended first an attempt is begun", () => {
  const others = PHASES.filter((phase) => !["NEW", "PAUSED", "FAILED", "READY"].includes(phase));
  for (const phase of others) expect(withoutKeys({ phase, down: null })).toBe("attempt");
});
