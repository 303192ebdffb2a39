import fc from "fast-check";
import { expect, it } from "vitest";
import { canCommunicate, MAX_ANCESTORS } from "./access.ts";

/** root1 > (a > (a1, a2), b); root2 > c */
const PARENTS: Record<string, string | null> = {
  root1: null,
  root2: null,
  a: "root1",
  b: "root1",
  a1: "a",
  a2: "a",
  c: "root2",
};
const may = (from: string, to: string, parents: Record<string, string | null> = PARENTS) =>
  canCommunicate(
    { id: from, parentId: parents[from] ?? null },
    { id: to, parentId: parents[to] ?? null },
    (id) => parents[id],
  );

it("AC1: speaks to itself", () => {
  expect(may("a1", "a1")).toBe(true);
});
it.each([
  ["a1", "a2"],
  ["a", "b"],
  ["root1", "root2"],
])("AC2: %s and %s have the same place", (one, other) => {
  expect(may(one, other)).toBe(true);
  expect(may(other, one)).toBe(true);
});
it.each([
  ["root1", "a"],
  ["root1", "a1"],
  ["a", "a2"],
])("AC3: %s is above %s", (above, below) => {
  expect(may(above, below)).toBe(true);
  expect(may(below, above)).toBe(true);
});
it.each([
  ["a1", "b"],
  ["a", "c"],
  ["root2", "a1"],
  ["c", "root1"],
])("AC4: %s does not speak to %s", (one, other) => {
  expect(may(one, other)).toBe(false);
  expect(may(other, one)).toBe(false);
});
it("AC5: a chain that is broken, endless or too long denies", () => {
  expect(may("root1", "x", { ...PARENTS, x: "gone" })).toBe(false);
  expect(may("root1", "y", { ...PARENTS, y: "z", z: "y" })).toBe(false);
  const deep: Record<string, string | null> = { d0: null };
  for (let i = 1; i <= MAX_ANCESTORS + 2; i += 1) deep[`d${i}`] = `d${i - 1}`;
  expect(may("d0", `d${MAX_ANCESTORS}`, deep)).toBe(true);
  expect(may("d0", `d${MAX_ANCESTORS + 1}`, deep)).toBe(false);
});
it("AC3: the answer is the same both ways", () => {
  const ids = Object.keys(PARENTS);
  fc.assert(
    fc.property(fc.constantFrom(...ids), fc.constantFrom(...ids), (one, other) => {
      expect(may(one, other)).toBe(may(other, one));
    }),
  );
});
