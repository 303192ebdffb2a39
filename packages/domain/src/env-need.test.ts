import { describe, expect, it } from "vitest";
import {
  ENV_NAME,
  keysOfNeed,
  mergeNeeds,
  needOfKeys,
  tellNeeds,
  uniqueNeeds,
} from "./env-need.ts";

describe("what a team needs to be set", () => {
  it("OR1: each need once; what is needed for itself settles its groups, and beats recommended", () => {
    const required = mergeNeeds([
      "A",
      { any_of: ["B", "C"] },
      { any_of: ["A", "D"] },
      "A",
      "F",
      { any_of: ["C", "B"] },
    ]);
    expect(required).toEqual(["A", "F", { any_of: ["B", "C"] }]);
    const recommended = ["A", "E", { any_of: ["C", "B"] }, { any_of: ["A", "X"] }];
    expect(mergeNeeds(recommended, required)).toEqual(["E"]);
  });

  it("OR1: two groups with the same keys are one need, whatever their order", () => {
    expect(uniqueNeeds([["A", "B"], ["C"], ["B", "A"], ["C"]])).toEqual([["B", "A"], ["C"]]);
    expect(keysOfNeed({ any_of: ["A", "B"] })).toEqual(["A", "B"]);
    expect([needOfKeys(["A"]), needOfKeys(["A", "B"])]).toEqual(["A", { any_of: ["A", "B"] }]);
    expect(tellNeeds([["A", "B"], ["C"]])).toBe("A or B, C");
  });

  it.each([
    ["A", true],
    ["OPENAI_API_KEY2", true],
    ["a", false],
    ["2A", false],
    ["A-B", false],
    ["", false],
    [`A${"B".repeat(127)}`, true],
    [`A${"B".repeat(128)}`, false],
  ])("OR1: %s may be a key: %s", (name, is) => {
    expect(ENV_NAME.test(name)).toBe(is);
  });
});
