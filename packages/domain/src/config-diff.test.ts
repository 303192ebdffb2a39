import { expect, test } from "vitest";
import {
  type DesiredState,
  diffStates,
  isSameJson,
  planSecretReturns,
  type SecretState,
} from "./config-diff.ts";

const own = (key: string, version: number): SecretState => ({ key, scope: "workspace", version });
const global = (key: string, version: number): SecretState => ({ key, scope: "global", version });
const state = (over: Partial<DesiredState> = {}): DesiredState => ({
  settings: {},
  files: {},
  secrets: [],
  ...over,
});

test("CF5: equal states differ in nothing, whatever the order of their keys", () => {
  const a = state({
    settings: { x: { a: 1, b: [1, 2] } },
    files: { p: "1" },
    secrets: [own("K", 1)],
  });
  const b = state({
    settings: { x: { b: [1, 2], a: 1 } },
    files: { p: "1" },
    secrets: [own("K", 1)],
  });
  expect(diffStates(a, b)).toEqual({ settings: [], files: [], secrets: [] });
});

test("CF5: settings are told with both values, files by path, secrets by name", () => {
  const before = state({
    settings: { model: "a", tier: 2 },
    files: { gone: "1", kept: "2", other: "3" },
    secrets: [own("A", 1), global("B", 1), own("C", 1)],
  });
  const after = state({
    settings: { model: "b", tier: 2, skills: ["x"] },
    files: { kept: "2", new: "4", other: "5" },
    secrets: [own("A", 2), own("B", 1), global("D", 1)],
  });
  expect(diffStates(before, after)).toEqual({
    settings: [
      { name: "model", before: "a", after: "b" },
      { name: "skills", before: undefined, after: ["x"] },
    ],
    files: [
      { path: "gone", change: "removed" },
      { path: "new", change: "added" },
      { path: "other", change: "changed" },
    ],
    secrets: [
      { key: "A", scope: "workspace", change: "changed" },
      { key: "B", scope: "workspace", change: "changed" },
      { key: "C", scope: "workspace", change: "removed" },
      { key: "D", scope: "global", change: "added" },
    ],
  });
});

test("CF7: a roll back gives back the workspace's own secrets whose value is kept, and says the rest", () => {
  const now = [own("changed", 3), own("new", 1), global("org", 2), own("same", 1), own("over", 1)];
  const target = [
    own("changed", 2),
    own("gone", 1),
    own("old", 1),
    global("org", 1),
    own("same", 1),
    global("over", 1),
  ];
  expect(planSecretReturns(now, target, ({ key }) => key !== "old")).toEqual([
    { key: "changed", outcome: "restored" },
    { key: "gone", outcome: "restored" },
    { key: "new", outcome: "removed" },
    { key: "old", outcome: "lost" },
    { key: "org", outcome: "organisation" },
    { key: "over", outcome: "removed" },
  ]);
});

test("CF5: nothing and null are the same value", () => {
  expect(isSameJson(undefined, null)).toBe(true);
  expect(isSameJson(0, null)).toBe(false);
});
