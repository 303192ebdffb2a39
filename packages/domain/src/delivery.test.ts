import { describe, expect, it } from "vitest";
import { concurrentTasksIn, type DeliveryFacts, deliveryOf } from "./delivery.ts";
import { BACKENDS, DELIVERY_MODES, WORKSPACE_STATUSES } from "./sets.ts";

const facts = (over: Partial<DeliveryFacts>): DeliveryFacts => ({
  status: "online",
  backend: "process",
  deliveryMode: "push",
  hasAddress: true,
  ...over,
});

describe("how many messages at once a template asks for", () => {
  it.each([
    [4, 4],
    [1, 1],
    [5000, 1000],
    [0, null],
    [-1, null],
    [2.5, null],
    ["4", null],
    [undefined, null],
  ])("D7: %s is %s", (said, limit) => {
    expect(concurrentTasksIn(said)).toBe(limit);
  });
});

describe("how a message reaches a workspace", () => {
  it.each(["paused", "failed", "removed"] as const)("D1: refuses a %s one", (status) => {
    expect(deliveryOf(facts({ status }))).toEqual({ kind: "refuse", why: status });
  });

  it.each(["hibernated", "hibernating"] as const)("D2: wakes a %s one", (status) => {
    expect(deliveryOf(facts({ status }))).toEqual({ kind: "wake" });
  });

  it.each(["online", "degraded"] as const)("D3: dials a %s one", (status) => {
    expect(deliveryOf(facts({ status }))).toEqual({ kind: "dispatch" });
  });

  it.each(["provisioning", "offline"] as const)("D4: keeps a message for a %s one", (status) => {
    expect(deliveryOf(facts({ status }))).toEqual({ kind: "queue" });
  });

  it("D4: keeps a message while the address is not recorded yet", () => {
    expect(deliveryOf(facts({ hasAddress: false }))).toEqual({ kind: "queue" });
  });

  it("D5: never dials an external agent that polls, whatever its status", () => {
    for (const status of ["online", "degraded", "awaiting_agent"] as const) {
      const how = deliveryOf(facts({ status, backend: "external", deliveryMode: "poll" }));
      expect(how).toEqual({ kind: "poll" });
    }
  });

  it("D6: tells when an external agent gave no address", () => {
    const how = deliveryOf(facts({ backend: "external", hasAddress: false }));
    expect(how).toEqual({ kind: "refuse", why: "no_address" });
  });

  it("is total", () => {
    for (const status of WORKSPACE_STATUSES) {
      for (const backend of BACKENDS) {
        for (const deliveryMode of DELIVERY_MODES) {
          for (const hasAddress of [true, false]) {
            expect(deliveryOf({ status, backend, deliveryMode, hasAddress }).kind).toBeTruthy();
          }
        }
      }
    }
  });
});
