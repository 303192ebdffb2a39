import { describe, expect, it } from "vitest";
import { BACKENDS, HEALTHS, INTENTS, PHASES, WORKSPACE_STATUSES } from "./sets.ts";
import { type StatusFacts, statusOf } from "./status-of.ts";

const RUNNING: StatusFacts = {
  intent: "run",
  phase: "READY",
  health: "ok",
  backend: "process",
  isBeating: true,
};

describe.each(PHASES)("in %s", (phase) => {
  it("ST1: intent deleted is removed", () => {
    expect(statusOf({ ...RUNNING, phase, intent: "deleted" })).toBe("removed");
  });
  it("ST2: intent paused is paused", () => {
    expect(statusOf({ ...RUNNING, phase, intent: "paused" })).toBe("paused");
  });
  it("ST3: intent hibernated is hibernating until PAUSED", () => {
    expect(statusOf({ ...RUNNING, phase, intent: "hibernated" })).toBe(
      phase === "PAUSED" ? "hibernated" : "hibernating",
    );
  });
  it("ST4: an external workspace follows its beats", () => {
    const facts: StatusFacts = { ...RUNNING, phase, backend: "external" };
    expect(statusOf({ ...facts, isBeating: false })).toBe("awaiting_agent");
    expect(statusOf(facts)).toBe("online");
    expect(statusOf({ ...facts, health: "degraded" })).toBe("degraded");
    expect(statusOf({ ...facts, health: "suspected_down" })).toBe("awaiting_agent");
  });
});

it("ST5: everything before READY is provisioning", () => {
  for (const phase of ["NEW", "STOPPING", "CREATING", "BOOTING", "PAUSED"] as const) {
    expect(statusOf({ ...RUNNING, phase })).toBe("provisioning");
  }
});
it("ST6: READY follows its health", () => {
  expect(HEALTHS.map((health) => statusOf({ ...RUNNING, health }))).toEqual([
    "online",
    "degraded",
    "offline",
  ]);
});
it("ST7: BACKOFF is offline and FAILED is failed", () => {
  expect(statusOf({ ...RUNNING, phase: "BACKOFF" })).toBe("offline");
  expect(statusOf({ ...RUNNING, phase: "FAILED" })).toBe("failed");
});
it("ST8: every combination of facts has a known status", () => {
  for (const intent of INTENTS) {
    for (const phase of PHASES) {
      for (const health of HEALTHS) {
        for (const backend of BACKENDS) {
          const status = statusOf({ intent, phase, health, backend, isBeating: false });
          expect(WORKSPACE_STATUSES).toContain(status);
        }
      }
    }
  }
});
