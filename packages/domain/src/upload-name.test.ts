import { describe, expect, it } from "vitest";
import { uploadName } from "./upload-name.ts";

describe("the name of an upload", () => {
  it.each([
    ["report.pdf", "report.pdf"],
    ["my data.csv", "my_data.csv"],
    ["../../etc/passwd", "passwd"],
    ["C:\\Users\\ann\\x.txt", "x.txt"],
    ["ümläut.md", "_ml_ut.md"],
    ["", "file"],
    [".", "file"],
    ["..", "file"],
    ["a/", "file"],
    [`${"a".repeat(200)}.txt`, `${"a".repeat(96)}.txt`],
    [`a.${"b".repeat(200)}`, `a.${"b".repeat(98)}`],
  ])("makes %j safe", (given, expected) => {
    expect(uploadName(given)).toBe(expected);
  });
});
