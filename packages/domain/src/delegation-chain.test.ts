import { expect, it } from "vitest";
import { type Chain, cycleSentence, judgeChain } from "./delegation-chain.ts";
import { MAX_CALLS_BEHIND } from "./delivery.ts";

const task = (callerId: string, targetId: string, working: readonly Chain[] = []) =>
  judgeChain({ callerId, targetId, working, isTask: true });

it("DG1: a chain grows by each sender, and begins with whoever began", () => {
  expect(task("a", "b")).toEqual({ kind: "allowed", chain: ["a"] });
  // A person asked.
  expect(task("a", "b", [[]])).toEqual({ kind: "allowed", chain: ["a"] });
  expect(task("b", "c", [["a"]])).toEqual({ kind: "allowed", chain: ["a", "b"] });
});

it("DG2: a task for an agent of its own chain is refused, and the path is shown", () => {
  expect(task("b", "a", [["a"]])).toEqual({ kind: "cycle", path: ["a", "b", "a"] });
  expect(task("c", "a", [["x", "a", "b"]])).toEqual({ kind: "cycle", path: ["a", "b", "c", "a"] });
  expect(task("c", "d", [["x", "a", "b"]]).kind).toBe("allowed");
  expect(cycleSentence(["Ada", "Ben", "Ada"])).toContain("Ada → Ben → Ada");
});

it("DG2: what is no task may go back: an answer, a question", () => {
  const question = { callerId: "b", targetId: "a", working: [["a"]], isTask: false };
  expect(judgeChain(question)).toEqual({ kind: "allowed", chain: ["a", "b"] });
});

it("DG3: of several turns only what they all end with is known", () => {
  expect(task("b", "a", [["a"], []])).toEqual({ kind: "allowed", chain: ["b"] });
  expect(task("b", "a", [["a"], ["a"]])).toMatchObject({ kind: "cycle" });
  const working = [
    ["x", "a"],
    ["y", "z", "a"],
  ];
  expect(task("b", "c", working)).toEqual({ kind: "allowed", chain: ["a", "b"] });
  expect(task("b", "x", working)).toEqual({ kind: "allowed", chain: ["a", "b"] });
});

it("DG4: a chain has a longest length, whoever is in it", () => {
  const longest = Array.from({ length: MAX_CALLS_BEHIND - 1 }, (_, n) => `w${n}`);
  expect(task("b", "c", [longest]).kind).toBe("allowed");
  for (const isTask of [true, false]) {
    const facts = { callerId: "b", targetId: "c", working: [[...longest, "more"]], isTask };
    expect(judgeChain(facts).kind).toBe("too_long");
  }
});
