import { expect, it } from "vitest";
import { withoutSecrets } from "./log-excerpt.ts";

it("blanks every secret of six characters and more, the longer one first", () => {
  const text = "key sk-abcdef-123 and sk-abcdef, level info";
  expect(withoutSecrets(text, ["sk-abcdef", "sk-abcdef-123", "info"])).toBe(
    "key •••••• and ••••••, level info",
  );
});
