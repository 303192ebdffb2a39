import { describe, expect, it } from "vitest";
import { healthAfterBeat, type ReportedHealth } from "./reported-health.ts";
import { HEALTHS } from "./sets.ts";

const reported = (over: Partial<ReportedHealth> = {}): ReportedHealth => ({
  errorRate: 0,
  runtimeState: "",
  managesStatus: false,
  ...over,
});

describe("health after a beat", () => {
  it("H1: degrades at half of the requests failing", () => {
    expect(healthAfterBeat("ok", reported({ errorRate: 0.5 }))).toBe("degraded");
    expect(healthAfterBeat("ok", reported({ errorRate: 0.49 }))).toBe("ok");
  });

  it("H2: recovers below a tenth, and not with a state of its own", () => {
    expect(healthAfterBeat("degraded", reported({ errorRate: 0.09 }))).toBe("ok");
    expect(healthAfterBeat("degraded", reported({ errorRate: 0.1 }))).toBe("degraded");
    expect(healthAfterBeat("degraded", reported({ runtimeState: "busy" }))).toBe("degraded");
  });

  it("H3: a wedged agent is degraded, whatever else it says", () => {
    for (const before of HEALTHS) {
      const state = reported({ runtimeState: "wedged", managesStatus: true });
      expect(healthAfterBeat(before, state)).toBe("degraded");
    }
  });

  it("H4: leaves the status alone when the runtime manages it", () => {
    expect(healthAfterBeat("ok", reported({ errorRate: 1, managesStatus: true }))).toBe("ok");
    expect(healthAfterBeat("degraded", reported({ managesStatus: true }))).toBe("degraded");
  });

  it("H5: a beat ends the suspicion that it is down", () => {
    expect(healthAfterBeat("suspected_down", reported({ errorRate: 0.3 }))).toBe("ok");
  });

  it("H6: a beat does not end an outage of what it runs on", () => {
    for (const state of [reported(), reported({ runtimeState: "wedged" })]) {
      expect(healthAfterBeat("suspected_down", state, true)).toBe("suspected_down");
    }
    expect(healthAfterBeat("degraded", reported(), true)).toBe("ok");
  });
});
