import { describe, expect, it } from "vitest";
import { limitsOfTier } from "./tiers.ts";

describe("the limits of a tier", () => {
  it.each([
    [1, 256, 512],
    [2, 512, 1024],
    [3, 2048, 2048],
    [4, 4096, 4096],
  ])("tier %i has %i MB and %i CPU shares", (tier, memoryMb, cpuShares) => {
    expect(limitsOfTier(tier)).toEqual({ memoryMb, cpuShares });
  });

  it.each([0, 5, -1, Number.NaN])("counts the unknown tier %d as 2", (tier) => {
    expect(limitsOfTier(tier)).toEqual(limitsOfTier(2));
  });

  it("takes each override of the operator alone", () => {
    const overrides = { 2: { memoryMb: 1024 }, 3: { cpuShares: 512 } };
    expect(limitsOfTier(2, overrides)).toEqual({ memoryMb: 1024, cpuShares: 1024 });
    expect(limitsOfTier(3, overrides)).toEqual({ memoryMb: 2048, cpuShares: 512 });
    expect(limitsOfTier(9, overrides)).toEqual({ memoryMb: 1024, cpuShares: 1024 });
  });

  it("never goes below what a runtime starts with", () => {
    expect(limitsOfTier(2, { 2: { memoryMb: 1, cpuShares: 0 } })).toEqual({
      memoryMb: 64,
      cpuShares: 2,
    });
  });
});
