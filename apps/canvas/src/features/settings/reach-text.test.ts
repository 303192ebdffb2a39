import { expect, test } from "vitest";
import { doneText, reachText } from "./reach-text.ts";

const none = { count: 0, names: [] };
const some = (...names: string[]) => ({ count: names.length, names });
const reach = { key: "K", restarts: none, waits: none, overridden: none, needs: none };

test("says of each group who it is and what happens to them", () => {
  const found = {
    ...reach,
    restarts: some("Ada", "Bo"),
    waits: some("Cy"),
    overridden: some("Dee"),
    needs: some("Ada"),
  };
  expect(reachText(found, "set")).toEqual([
    "2 agents start anew, once each: Ada, Bo.",
    "1 agent rests and gets it with its next start: Cy.",
    "1 agent keeps a value of its own: Dee.",
  ]);
  expect(reachText(found, "remove")).toEqual([
    "2 agents start anew, once each: Ada, Bo.",
    "1 agent rests and starts without it next time: Cy.",
    "1 agent cannot start without it; while it runs it goes on as it is: Ada.",
    "1 agent keeps a value of its own: Dee.",
  ]);
});

test("names four and counts the rest, and says when it reaches nobody", () => {
  const many = { count: 40, names: ["A", "B", "C", "D", "E"] };
  expect(reachText({ ...reach, restarts: many }, "set")[0]).toContain("A, B, C, D and 36 more");
  expect(reachText(reach, "set")).toEqual(["No agent runs with it yet."]);
});

test("tells what was done by its number", () => {
  expect(doneText(0)).toBe("It changes no agent.");
  expect(doneText(1)).toBe("It changes 1 agent, with one start.");
  expect(doneText(3)).toBe("It changes 3 agents, with one start each.");
});
