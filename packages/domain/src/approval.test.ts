import { expect, it } from "vitest";
import { answerOutcome, approvalNote } from "./approval.ts";

it("AP1 the first answer counts, the same again changes nothing, another comes too late", () => {
  expect(answerOutcome("pending", "approved")).toBe("counts");
  expect(answerOutcome("pending", "denied")).toBe("counts");
  expect(answerOutcome("approved", "approved")).toBe("same");
  expect(answerOutcome("approved", "denied")).toBe("too_late");
  expect(answerOutcome("denied", "approved")).toBe("too_late");
});

it.each([
  ["approved", false, "Approved by Ada. You may do it now."],
  ["denied", false, "Denied by Ada. Do not do it."],
  ["denied", true, "Nobody answered within 10 minutes, so it is denied. Do not do it."],
] as const)(
  "AP6 an agent is told what it asked and how that was answered: %s, %s",
  (decision, isOverdue, end) => {
    const told = approvalNote({ action: "deploy", decision, decidedBy: "Ada", isOverdue });
    expect(told).toBe(`You asked a person whether you may: deploy\n${end}`);
  },
);
