import { expect, it } from "vitest";
import { isMassRemoval, type ListedInstance, sweepGrounds, sweepVerdict } from "./sweep.ts";

const GRACE_MS = 60_000;
const listed = (over: Partial<ListedInstance> = {}): ListedInstance => ({
  providerId: "1:2",
  labelAttempt: 3,
  workspace: { isDeleted: false, isResting: false, currentAttempt: 3, machineAttempt: null },
  unknownForMs: 0,
  ...over,
});
const of = (current: number, machine: number | null = null, isDeleted = false) => ({
  workspace: { isDeleted, isResting: false, currentAttempt: current, machineAttempt: machine },
});

it("G1: keeps the current attempt, also one whose record is newer than the database", () => {
  expect(sweepVerdict(listed(), GRACE_MS)).toBe("keep");
  expect(sweepVerdict(listed({ labelAttempt: 4 }), GRACE_MS)).toBe("keep");
});
it("G2: removes older attempts and what belongs to a deleted workspace", () => {
  expect(sweepVerdict(listed(of(4)), GRACE_MS)).toBe("remove");
  expect(sweepVerdict(listed(of(3, null, true)), GRACE_MS)).toBe("remove_deleted");
});
it("G3: waits the grace time before it removes what no workspace knows", () => {
  const orphan = { workspace: null };
  expect(sweepVerdict(listed({ ...orphan, unknownForMs: GRACE_MS - 1 }), GRACE_MS)).toBe("wait");
  expect(sweepVerdict(listed({ ...orphan, unknownForMs: GRACE_MS }), GRACE_MS)).toBe("remove");
});
it("G4: believes the machine's row and not the label", () => {
  expect(sweepVerdict(listed({ labelAttempt: 1, ...of(3, 3) }), GRACE_MS)).toBe("keep");
});
it("G5: stops before it empties a machine", () => {
  expect(isMassRemoval(5, 6)).toBe(false);
  expect(isMassRemoval(6, 30)).toBe(false);
  expect(isMassRemoval(7, 30)).toBe(true);
});
it("G17: keeps a machine that rests with its workspace, and no other one", () => {
  const resting = { isDeleted: false, isResting: true, currentAttempt: 3, machineAttempt: 3 };
  const at = (parts: Partial<ListedInstance>) =>
    sweepVerdict(listed({ workspace: resting, isAtRest: true, ...parts }), GRACE_MS);
  expect(at({})).toBe("keep");
  expect(at({ isAtRest: false })).toBe("remove");
  expect(at({ workspace: { ...resting, machineAttempt: 2 } })).toBe("remove");
  expect(at({ workspace: { ...resting, isDeleted: true } })).toBe("remove_deleted");
});
it("G6: removes what a late worker has made of a workspace that rests", () => {
  const resting = { isDeleted: false, isResting: true, currentAttempt: 3, machineAttempt: null };
  expect(sweepVerdict(listed({ workspace: resting }), GRACE_MS)).toBe("remove");
  expect(sweepVerdict(listed({ workspace: resting, labelAttempt: 4 }), GRACE_MS)).toBe("keep");
});
it("G14: leaves to a stop under way what it is stopping", () => {
  const stopping = { ...of(4).workspace, isBeingStopped: true };
  expect(sweepVerdict(listed({ workspace: stopping }), GRACE_MS)).toBe("wait");
  expect(sweepVerdict(listed({ workspace: stopping, labelAttempt: 4 }), GRACE_MS)).toBe("keep");
  const deleted = { ...of(4, null, true).workspace, isBeingStopped: true };
  expect(sweepVerdict(listed({ workspace: deleted }), GRACE_MS)).toBe("remove_deleted");
});
it("G13: every removal has a rule and says what was seen", () => {
  const resting = { ...of(3).workspace, isResting: true };
  const rules = [
    listed(of(4)),
    listed(of(3, null, true)),
    listed({ workspace: resting }),
    listed({ workspace: null }),
  ].map((one) => sweepGrounds(one));
  expect(rules.map(({ rule }) => rule)).toEqual(["G2", "G2", "G6", "G3"]);
  expect(new Set(rules.map(({ although }) => although)).size).toBe(4);
});
