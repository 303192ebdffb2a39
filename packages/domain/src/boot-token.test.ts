import { describe, expect, it } from "vitest";
import {
  BOOT_TOKEN_TTL_MS,
  type BootTokenFacts,
  explainRefusal,
  judgeBootToken,
  TOLD_REFUSALS,
} from "./boot-token.ts";

const ISSUED = new Date("2030-01-01T12:00:00Z");
const at = (ms: number) => new Date(ISSUED.getTime() + ms);
const UNUSED: BootTokenFacts = {
  attemptNo: 3,
  currentAttempt: 3,
  usedAt: null,
  expiresAt: at(BOOT_TOKEN_TTL_MS),
  isSameExchange: false,
};
const USED = { ...UNUSED, usedAt: at(60_000) };

describe("judgeBootToken", () => {
  it("BT1 accepts the first use until 15 minutes have passed, and no longer", () => {
    const accepted = { kind: "accepted", isFirst: true };
    expect(judgeBootToken(UNUSED, at(0))).toEqual(accepted);
    expect(judgeBootToken(UNUSED, at(BOOT_TOKEN_TTL_MS - 1))).toEqual(accepted);
    expect(judgeBootToken(UNUSED, at(BOOT_TOKEN_TTL_MS))).toEqual({
      kind: "refused",
      why: "expired",
    });
  });

  it("BT2 refuses a second use as one, also after its time", () => {
    for (const ms of [60_001, BOOT_TOKEN_TTL_MS, 10 * BOOT_TOKEN_TTL_MS]) {
      expect(judgeBootToken(USED, at(ms))).toEqual({ kind: "refused", why: "used" });
    }
  });

  it("BT3 answers the same exchange again until its time is over", () => {
    const again = { ...USED, isSameExchange: true };
    expect(judgeBootToken(again, at(61_000))).toEqual({ kind: "accepted", isFirst: false });
    expect(judgeBootToken(again, at(BOOT_TOKEN_TTL_MS))).toEqual({
      kind: "refused",
      why: "expired",
    });
  });

  it("BT4 refuses the token of any other attempt than the current one, used or not", () => {
    for (const facts of [UNUSED, USED, { ...USED, isSameExchange: true }]) {
      for (const currentAttempt of [2, 4]) {
        expect(judgeBootToken({ ...facts, currentAttempt }, at(1))).toEqual({
          kind: "refused",
          why: "superseded",
        });
      }
    }
  });

  it("BT5 has a sentence for each refusal that is told, naming the attempt", () => {
    const sentences = TOLD_REFUSALS.map((why) => explainRefusal(why, 3));
    expect(new Set(sentences).size).toBe(TOLD_REFUSALS.length);
    for (const sentence of sentences) expect(sentence).toContain("attempt 3");
  });
});
