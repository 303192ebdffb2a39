import { expect, test } from "vitest";
import { approvalLine, contextText, stillWaiting } from "./approval-text.ts";

test("a request says who asks for what", () => {
  expect(approvalLine({ workspaceName: "Ada", action: "deploy the shop" })).toBe(
    "Ada asks: deploy the shop",
  );
});

test("AP2 what is over is not shown any more", () => {
  const nowMs = Date.parse("2026-01-01T00:10:00Z");
  const [over, open] = [
    { expiresAt: "2026-01-01T00:10:00Z" },
    { expiresAt: "2026-01-01T00:10:01Z" },
  ];
  expect(stillWaiting([over, open], nowMs)).toEqual([open]);
});

test("the context is readable, also when it is no JSON", () => {
  expect(contextText(null)).toBeNull();
  expect(contextText('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(contextText("{")).toBe("{");
});
