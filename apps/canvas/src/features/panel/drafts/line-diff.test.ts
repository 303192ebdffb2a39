import { expect, test } from "vitest";
import { type DiffLine, lineDiff } from "./line-diff.ts";

const shown = (lines: readonly DiffLine[]) =>
  lines.map((line) => {
    if (line.kind === "gap") return `…${line.count}`;
    return { same: "  ", removed: "- ", added: "+ " }[line.kind] + line.text;
  });
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

test("one changed line is shown with two lines around it and the rest left out", () => {
  const before = numbers(1, 20).join("\n");
  const after = before.replace("\n10\n", "\nten\n");
  expect(shown(lineDiff(before, after))).toEqual([
    "…7",
    "  8",
    "  9",
    "- 10",
    "+ ten",
    "  11",
    "  12",
    "…8",
  ]);
});

test("lines that stay between two changes are not called changed", () => {
  expect(shown(lineDiff("a\nb\nc", "x\nb\ny"))).toEqual(["- a", "+ x", "  b", "- c", "+ y"]);
});

test("a new text and a deleted one are all one kind", () => {
  expect(shown(lineDiff("", "a\nb"))).toEqual(["+ a", "+ b"]);
  expect(shown(lineDiff("a\nb", ""))).toEqual(["- a", "- b"]);
});

test("the newline at the end of a file is no line, unless it is all that differs", () => {
  expect(shown(lineDiff("a\n", "a\nb"))).toEqual(["  a", "+ b"]);
  expect(shown(lineDiff("a", "a\n"))).toEqual(["  a", "+ "]);
});

test("equal texts differ in nothing", () => {
  expect(shown(lineDiff("a\nb", "a\nb"))).toEqual(["…2"]);
});

test("texts too large to compare line by line are still both shown", () => {
  const before = numbers(1, 3000).join("\n");
  const after = numbers(5000, 8000).join("\n");
  const kinds = new Set(lineDiff(before, after).map((line) => line.kind));
  expect([...kinds]).toEqual(["removed", "added"]);
});
