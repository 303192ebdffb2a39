import { describe, expect, it } from "vitest";
import { TUNNEL_FAULTS } from "./sets.ts";
import {
  deservesFreshGrant,
  isRetryableFault,
  mayReplay,
  sentenceOfFault,
  verdictOn,
} from "./tunnel-faults.ts";

describe("a fault of a connection", () => {
  it("TU7 is retryable exactly when a fresh connection may succeed", () => {
    const retryable = TUNNEL_FAULTS.filter((fault) => isRetryableFault(fault, {}));
    expect(retryable).toEqual([
      "api-throttled",
      "api-unreachable",
      "ws-unreachable",
      "ws-closed",
      "handshake-timeout",
      "keepalive-timeout",
      "peer-closed",
      "protocol",
    ]);
  });

  it.each([
    ["ws-unreachable", { code: "ECONNREFUSED" }, true],
    ["ws-unreachable", { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" }, false],
    ["ws-unreachable", { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }, false],
    ["ws-rejected", { httpStatus: 403 }, false],
    ["ws-rejected", { httpStatus: 429 }, true],
    ["ws-rejected", { httpStatus: 503 }, true],
    ["api-rejected", { awsError: "EC2InstanceUnavailableException" }, true],
    ["api-rejected", { awsError: "EC2InstanceStateInvalidException" }, false],
  ] as const)("TU7 %s with %j: %s", (fault, facts, expected) => {
    expect(isRetryableFault(fault, facts)).toBe(expected);
  });

  it("TU13 gets one fresh grant when the old one was used late", () => {
    expect(deservesFreshGrant("auth-failed", { grantAgeMs: 46_000 })).toBe(true);
    expect(deservesFreshGrant("auth-failed", { grantAgeMs: 44_000 })).toBe(false);
    expect(deservesFreshGrant("auth-failed", {})).toBe(false);
    expect(deservesFreshGrant("ws-closed", { grantAgeMs: 46_000 })).toBe(false);
  });

  it("has a sentence of its own", () => {
    expect(new Set(TUNNEL_FAULTS.map(sentenceOfFault)).size).toBe(TUNNEL_FAULTS.length);
  });
});

describe("the end of a use", () => {
  it("TU8 is replayed once, when it is idempotent and the fault retryable", () => {
    const facts = { isIdempotent: true, isRetryable: true, replays: 0 };
    expect(mayReplay("tunnel", facts)).toBe(true);
    expect(mayReplay("tunnel", { ...facts, replays: 1 })).toBe(false);
    expect(mayReplay("tunnel", { ...facts, isIdempotent: false })).toBe(false);
    expect(mayReplay("tunnel", { ...facts, isRetryable: false })).toBe(false);
    for (const failure of ["file", "exec", "channel", "timeout", "unknown"] as const) {
      expect(mayReplay(failure, facts)).toBe(false);
    }
  });

  it("TU9 keeps the connection when the machine has answered, and poisons it otherwise", () => {
    const kept = ["file", "exec", "channel", "timeout", "expected"] as const;
    expect(kept.map(verdictOn)).toEqual(kept.map(() => "keep"));
    expect([verdictOn("tunnel"), verdictOn("unknown")]).toEqual(["poison", "poison"]);
  });
});
