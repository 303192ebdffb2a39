import { describe, expect, test } from "vitest";
import type { Delivery } from "./delivery.ts";
import {
  catchUpSentence,
  causeOf,
  decideFire,
  type FireFacts,
  isScheduleMessageId,
  MAX_MISSED_COUNT,
  outcomeOfRun,
  scheduleMessageId,
  skipSentence,
} from "./schedule.ts";

const facts = (delivery: Delivery, more: Partial<FireFacts> = {}): FireFacts => ({
  delivery,
  runsItsOwn: false,
  isOverBudget: false,
  hasWaitingRun: false,
  ...more,
});
const dispatch: Delivery = { kind: "dispatch" };
const refuse = (why: "removed" | "paused" | "failed" | "no_address"): Delivery => ({
  kind: "refuse",
  why,
});

describe("a schedule whose time has come", () => {
  test.each([
    ["SC7 an agent that can be reached", facts(dispatch), { kind: "send", wakes: false }],
    ["SC7 one that starts", facts({ kind: "queue" }), { kind: "send", wakes: false }],
    [
      "SC7 one for which a message of it waits",
      facts({ kind: "queue" }, { hasWaitingRun: true }),
      { kind: "skip", reason: "still_waiting" },
    ],
    ["SC8 one that schedules itself", facts(dispatch, { runsItsOwn: true }), { kind: "pass" }],
    [
      "SC8 a paused one that schedules itself",
      facts(refuse("paused"), { runsItsOwn: true }),
      { kind: "pass" },
    ],
    ["SC9 one that sleeps", facts({ kind: "wake" }), { kind: "send", wakes: true }],
    ["SC9 a paused one", facts(refuse("paused")), { kind: "skip", reason: "paused" }],
    ["SC9 a failed one", facts(refuse("failed")), { kind: "skip", reason: "failed" }],
    [
      "SC9 one without address",
      facts(refuse("no_address")),
      { kind: "skip", reason: "no_address" },
    ],
    [
      "SC9 one over its budget, which is not woken",
      facts({ kind: "wake" }, { isOverBudget: true }),
      { kind: "skip", reason: "budget" },
    ],
    ["SC9 a removed one", facts(refuse("removed"), { runsItsOwn: true }), { kind: "switch_off" }],
    ["SC9 one that polls", facts({ kind: "poll" }), { kind: "hand_over" }],
  ])("%s", (_, given, decision) => {
    expect(decideFire(given, "due")).toEqual(decision);
  });

  test("SC11 is run for a person also where the runtime runs its own", () => {
    const given = facts(dispatch, { runsItsOwn: true });
    expect(decideFire(given, "manual")).toEqual({ kind: "send", wakes: false });
    expect(decideFire(given, "catch_up")).toEqual({ kind: "pass" });
  });

  test("SC9 says why it was skipped, by the name of the agent", () => {
    const reasons = ["paused", "failed", "no_address", "budget", "still_waiting"] as const;
    const said = reasons.map((reason) => skipSentence(reason, "Ada"));
    expect(new Set(said).size).toBe(reasons.length);
    for (const sentence of said) expect(sentence).toMatch(/Ada.*\.$/);
  });
});

describe("a late run", () => {
  const dueAt = new Date("2026-03-01T09:00:00Z");
  const at = (ms: number, missed = 0) => causeOf({ dueAt, now: new Date(+dueAt + ms), missed });

  test("SC5 is one that comes minutes after its time, or after others passed", () => {
    expect(at(0)).toBe("due");
    expect(at(5 * 60_000)).toBe("due");
    expect(at(5 * 60_000 + 1)).toBe("catch_up");
    expect(at(60_000, 1)).toBe("catch_up");
  });

  test("SC5 says for how many times it stands", () => {
    expect(catchUpSentence(0)).toBe("Late: the platform was not running when it was due.");
    expect(catchUpSentence(1)).toContain("stands for 1 later time as well");
    expect(catchUpSentence(MAX_MISSED_COUNT)).toContain(`at least ${MAX_MISSED_COUNT} later times`);
  });
});

describe("an ended run", () => {
  test("SC10 is stale from the third empty answer in a row", () => {
    let emptyRuns = 0;
    const seen = [true, true, true, true, false, true].map((isEmpty) => {
      const after = outcomeOfRun({ status: "ok", isEmpty, emptyRunsBefore: emptyRuns });
      emptyRuns = after.emptyRuns;
      return after.outcome;
    });
    expect(seen).toEqual(["ok", "ok", "stale", "stale", "ok", "ok"]);
  });

  test("SC10 that failed says nothing of the answers before", () => {
    expect(outcomeOfRun({ status: "error", isEmpty: true, emptyRunsBefore: 2 })).toEqual({
      outcome: "error",
      emptyRuns: 2,
    });
  });
});

test("SC6 a message id is cron, eight of the schedule and eight drawn ones", () => {
  const id = scheduleMessageId("0123456789abcdef", "fedcba9876543210");
  expect(id).toBe("cron-01234567-fedcba98");
  expect(isScheduleMessageId(id)).toBe(true);
  expect(isScheduleMessageId("msg-1")).toBe(false);
  expect(isScheduleMessageId(null)).toBe(false);
});
