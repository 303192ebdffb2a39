import { describe, expect, it } from "vitest";
import { startTimeoutMs, statedTimeoutMs } from "./start-timeout.ts";

const saying = (provision_timeout_seconds: unknown) => ({
  runtime_config: { provision_timeout_seconds },
});

describe("how long a start may take", () => {
  it("P1: the operator's word wins, then the configuration's, then the runtime's, then ten minutes", () => {
    const all = { overrideMs: 5_000, extra: saying(90), runtime: "hermes" };
    expect(startTimeoutMs(all)).toBe(5_000);
    expect(startTimeoutMs({ ...all, overrideMs: null })).toBe(90_000);
    expect(startTimeoutMs({ ...all, overrideMs: null, extra: {} })).toBe(1_800_000);
    expect(startTimeoutMs({ overrideMs: null, extra: {}, runtime: "demo" })).toBe(600_000);
    expect(statedTimeoutMs({ overrideMs: null, extra: {}, runtime: "demo" })).toBeNull();
  });

  it.each([0, -1, "90", null, Number.NaN, Number.POSITIVE_INFINITY, {}])(
    "P2: %s is no time, so the next in order holds",
    (value) => {
      const facts = { overrideMs: null, extra: saying(value), runtime: "demo" };
      expect(startTimeoutMs(facts)).toBe(600_000);
    },
  );

  it("P2: no start is waited for longer than a day", () => {
    expect(startTimeoutMs({ overrideMs: null, extra: saying(1e12), runtime: "demo" })).toBe(
      86_400_000,
    );
  });
});
