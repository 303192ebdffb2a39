import { expect, it } from "vitest";
import { readEnvFile } from "./env-file.ts";

it("reads names and values as people write them, and tells bad lines by number alone", () => {
  const { values, badLines } = readEnvFile(
    [
      "# keys",
      "A=1",
      "export B = two words # told",
      "C=' kept '",
      'D="a\\nb # in it" # not',
      "E=",
      "A=last",
      "lower=x",
      "no assignment",
      "F=a=b",
      'G="unclosed',
    ].join("\r\n"),
  );
  expect([...values]).toEqual([
    ["A", "last"],
    ["B", "two words"],
    ["C", " kept "],
    ["D", "a\nb # in it"],
    ["F", "a=b"],
    ["G", '"unclosed'],
  ]);
  expect(badLines).toEqual([8, 9]);
});
