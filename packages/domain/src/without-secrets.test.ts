import { expect, it } from "vitest";
import { jsonWithoutSecrets, withoutSecrets } from "./without-secrets.ts";

it("blanks every secret of six characters and more, the longer one first", () => {
  const text = "key sk-abcdef-123 and sk-abcdef, level info";
  expect(withoutSecrets(text, ["sk-abcdef", "sk-abcdef-123", "info"])).toBe(
    "key •••••• and ••••••, level info",
  );
});

it("ME8 a known secret is blanked in every text of a JSON value", () => {
  const value = { "a hunter22 b": ["x", { deep: "hunter22" }, 5, null, true], short: "abc" };
  expect(jsonWithoutSecrets(value, ["hunter22", "abc"])).toEqual({
    "a •••••• b": ["x", { deep: "••••••" }, 5, null, true],
    short: "abc",
  });
});
