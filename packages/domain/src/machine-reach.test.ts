import { describe, expect, it } from "vitest";
import { chooseReach, REACH_SETTINGS, type ReachFacts } from "./machine-reach.ts";

const FACTS: ReachFacts = {
  setting: "auto",
  hasTunnel: true,
  address: "10.0.0.5:8000",
  answers: true,
};

describe("chooseReach", () => {
  it("MR1 takes the private address where the agent answers at it", () => {
    expect(chooseReach(FACTS)).toBe("private");
  });

  it("MR2 takes the tunnel where nobody answers, and the address where there is no tunnel", () => {
    expect(chooseReach({ ...FACTS, answers: false })).toBe("tunnel");
    expect(chooseReach({ ...FACTS, address: null })).toBe("tunnel");
    expect(chooseReach({ ...FACTS, answers: false, hasTunnel: false })).toBe("private");
  });

  it("MR3 obeys a setting whatever answers, as far as there is such a way", () => {
    expect(chooseReach({ ...FACTS, setting: "tunnel" })).toBe("tunnel");
    expect(chooseReach({ ...FACTS, setting: "private", answers: false })).toBe("private");
    expect(chooseReach({ ...FACTS, setting: "tunnel", hasTunnel: false })).toBeNull();
    expect(chooseReach({ ...FACTS, setting: "private", address: null })).toBeNull();
  });

  it("MR4 never chooses a way that is not there", () => {
    const all = REACH_SETTINGS.flatMap((setting) =>
      [true, false].flatMap((answers) => [
        chooseReach({ setting, answers, hasTunnel: false, address: null }),
        chooseReach({ setting, answers, hasTunnel: false, address: "10.0.0.5:8000" }),
        chooseReach({ setting, answers, hasTunnel: true, address: null }),
      ]),
    );
    expect(all.filter((_, at) => at % 3 === 0)).toEqual(Array(6).fill(null));
    expect(all.filter((_, at) => at % 3 === 1)).not.toContain("tunnel");
    expect(all.filter((_, at) => at % 3 === 2)).not.toContain("private");
  });
});
