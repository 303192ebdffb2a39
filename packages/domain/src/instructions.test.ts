import { expect, it } from "vitest";
import { instructionsText } from "./instructions.ts";

it("IN1 instructions are one text in their order, with their titles", () => {
  expect(instructionsText([])).toBe("");
  expect(
    instructionsText([
      { title: "Tone", content: "Be brief.\n" },
      { title: "", content: "Never guess." },
    ]),
  ).toBe("# Tone\n\nBe brief.\n\nNever guess.");
});
