import { expect, test } from "vitest";
import { sourceOf } from "./config-source.ts";

test("CF2: every value says where it comes from", () => {
  expect(sourceOf("opus", { template: "opus" })).toBe("template");
  expect(sourceOf("sonnet", { template: "opus" })).toBe("workspace");
  expect(sourceOf("opus", {})).toBe("workspace");
  expect(sourceOf(null, { template: "opus" })).toBe("default");
  expect(sourceOf("", {})).toBe("default");
  expect(sourceOf("settle", { byDefault: "settle" })).toBe("default");
  expect(sourceOf("hold", { byDefault: "settle" })).toBe("workspace");
  expect(sourceOf(2, { template: 2, byDefault: 3 })).toBe("template");
});
