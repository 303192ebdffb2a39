import { expect, it } from "vitest";
import { type HoldEvidence, weighAbsence, weighHold } from "./sweep-hold.ts";

const removals = (...providerIds: string[]): HoldEvidence => ({
  kind: "removals",
  removals: providerIds.map((providerId) => ({
    providerId,
    workspaceId: "w",
    attemptNo: 1,
    rule: "G3",
  })),
  listed: providerIds.length,
});
const asked = (state: "open" | "confirmed" | "dismissed", evidence: HoldEvidence) => ({
  state,
  evidence,
});

it("G7: believes an absence when the machine is the remembered one, or lists what is known", () => {
  expect(weighAbsence({ remembered: "a", found: "a", listsKnown: false })).toBe("believe");
  expect(weighAbsence({ remembered: "a", found: "a", listsKnown: true })).toBe("believe");
  expect(weighAbsence({ remembered: null, found: "a", listsKnown: false })).toBe("remember");
  expect(weighAbsence({ remembered: "a", found: "b", listsKnown: true })).toBe("remember");
});
it("G7: doubts an absence on another machine, and on one that does not say which it is", () => {
  expect(weighAbsence({ remembered: "a", found: "b", listsKnown: false })).toBe("ask");
  expect(weighAbsence({ remembered: "a", found: null, listsKnown: false })).toBe("doubt");
  expect(weighAbsence({ remembered: null, found: null, listsKnown: false })).toBe("doubt");
  expect(weighAbsence({ remembered: "a", found: null, listsKnown: true })).toBe("believe");
});
it("G8: asks once, and waits for the answer", () => {
  expect(weighHold(null, removals("1", "2"))).toBe("ask");
  expect(weighHold(asked("open", removals("1", "2")), removals("2", "1"))).toBe("wait");
});
it("G8: asks anew about a set that changed", () => {
  for (const state of ["open", "dismissed"] as const) {
    expect(weighHold(asked(state, removals("1", "2")), removals("1", "3"))).toBe("ask");
    expect(weighHold(asked(state, removals("1", "2")), removals("1"))).toBe("ask");
  }
  expect(weighHold(asked("confirmed", removals("1", "2")), removals("1", "2", "3"))).toBe("ask");
});
it("G8: allows what was confirmed, and what is left of it", () => {
  expect(weighHold(asked("confirmed", removals("1", "2")), removals("1", "2"))).toBe("allowed");
  expect(weighHold(asked("confirmed", removals("1", "2")), removals("2"))).toBe("allowed");
});
it("G8: leaves a set that was dismissed alone", () => {
  expect(weighHold(asked("dismissed", removals("1", "2")), removals("1", "2"))).toBe("wait");
});
it("G8: a confirmed machine is that machine and no other", () => {
  const change = (found: string): HoldEvidence => ({
    kind: "identity",
    remembered: "a",
    found,
    expected: 3,
  });
  expect(weighHold(asked("open", change("b")), change("b"))).toBe("wait");
  expect(weighHold(asked("dismissed", change("b")), change("c"))).toBe("ask");
  expect(weighHold(asked("confirmed", change("b")), removals("1"))).toBe("ask");
});
