import { expect, it } from "vitest";
import { watchVerdict } from "./image-watch.ts";

it.each([
  ["the first look only remembers", null, "a", "remember"],
  ["the same digest is nothing", "a", "a", "nothing"],
  ["another digest is a refresh", "a", "b", "refresh"],
  ["a registry that does not answer says nothing", "a", null, "nothing"],
  ["and is not remembered", null, null, "nothing"],
] as const)("I11 %s", (_what, remembered, seen, verdict) => {
  expect(watchVerdict(remembered, seen)).toBe(verdict);
});
