import { expect, it } from "vitest";
import { answerOutcome } from "./approval.ts";

it("AP1 the first answer counts, the same again changes nothing, another comes too late", () => {
  expect(answerOutcome("pending", "approved")).toBe("counts");
  expect(answerOutcome("pending", "denied")).toBe("counts");
  expect(answerOutcome("approved", "approved")).toBe("same");
  expect(answerOutcome("approved", "denied")).toBe("too_late");
  expect(answerOutcome("denied", "approved")).toBe("too_late");
});
