import { describe, expect, it } from "vitest";
import { decideRedeploy, type FleetMember } from "./redeploy.ts";

const NOW = new Date("2026-01-01T12:00:00Z");
const LATER = new Date("2026-01-01T12:10:00Z");
const EARLIER = new Date("2026-01-01T11:59:00Z");

const member = (position: number, over: Partial<FleetMember> = {}): FleetMember => ({
  position,
  state: "waiting",
  gen: null,
  intent: "run",
  phase: "READY",
  health: "ok",
  applyPolicy: "settle",
  appliedGen: 3,
  snapGen: 3,
  ...over,
});
const asked = (position: number, over: Partial<FleetMember> = {}) =>
  member(position, { state: "asked", gen: 4, ...over });
const isBack = { appliedGen: 4, snapGen: 4 };
const decide = (members: FleetMember[], deadlineAt: Date | null = LATER, batch = 2) =>
  decideRedeploy({ members, batch, deadlineAt }, NOW);

describe("a redeployment", () => {
  it("I15 asks for one batch at a time, in order", () => {
    const first = decide([member(1), member(2), member(3)], null);
    expect(first).toEqual({ settled: [], next: { kind: "ask", positions: [1, 2] } });
    const under = decide([asked(1, isBack), asked(2), member(3)]);
    expect(under.settled.map(({ state }) => state)).toEqual(["back"]);
    expect(under.next).toEqual({ kind: "wait" });
    const next = decide([member(1, { state: "back" }), asked(2, isBack), member(3)]);
    expect(next.next).toEqual({ kind: "ask", positions: [3] });
    expect(decide([asked(3, isBack)]).next).toEqual({ kind: "done" });
    expect(decide([]).next).toEqual({ kind: "done" });
  });

  it.each([
    ["it runs what it ran before", {}],
    ["it starts", { phase: "BOOTING", appliedGen: 3, snapGen: 4 }],
    ["it is online but not well", { ...isBack, health: "degraded" }],
    ["it waits for its next try", { phase: "BACKOFF", snapGen: 4 }],
    ["it failed before it was asked", { phase: "FAILED", snapGen: 3 }],
  ] as const)("I16 is not back while %s, and lost when the deadline has come", (_what, over) => {
    expect(decide([asked(1, over), member(2)])).toEqual({ settled: [], next: { kind: "wait" } });
    const late = decide([asked(1, over), member(2)], EARLIER);
    expect(late.settled).toEqual([
      { position: 1, state: "lost", note: "it was not online in time" },
    ]);
    expect(late.next).toEqual({ kind: "halt" });
  });

  it("I16 halts as soon as the whole batch is judged, and touches nobody else", () => {
    const failed = asked(1, { phase: "FAILED", snapGen: 4 });
    const under = decide([failed, asked(2), member(3)]);
    expect(under.settled).toEqual([{ position: 1, state: "lost", note: "it failed to start" }]);
    expect(under.next).toEqual({ kind: "wait" });
    const lost = member(1, { state: "lost", gen: 4 });
    expect(decide([lost, asked(2, isBack), member(3)]).next).toEqual({ kind: "halt" });
  });

  it.each([
    ["rests", { intent: "paused" }, /rests/],
    ["sleeps", { intent: "hibernated" }, /rests/],
    ["was removed", { intent: "deleted" }, /removed/],
    ["had failed before", { phase: "FAILED" }, /had failed/],
    ["is held", { applyPolicy: "hold" }, /held/],
  ] as const)("I17 leaves out what %s, without a place in the batch", (_what, over, note) => {
    const { settled, next } = decide([member(1, over), member(2), member(3)], null);
    expect(settled).toEqual([{ position: 1, state: "skipped", note: expect.stringMatching(note) }]);
    expect(next).toEqual({ kind: "ask", positions: [2, 3] });
  });

  it("I17 does not wait for what was paused or removed on its way", () => {
    for (const intent of ["paused", "deleted"] as const) {
      const { settled, next } = decide([asked(1, { intent }), member(2)], EARLIER);
      expect(settled).toMatchObject([{ position: 1, state: "skipped" }]);
      expect(next).toEqual({ kind: "ask", positions: [2] });
    }
  });

  it("I18 goes on where it was: what came back is not asked again, what failed is", () => {
    const back = member(1, { gen: 4, ...isBack });
    const failed = member(2, { gen: 4, phase: "FAILED", snapGen: 4 });
    expect(decide([back, failed, member(3)], null)).toEqual({
      settled: [{ position: 1, state: "back", note: null }],
      next: { kind: "ask", positions: [2, 3] },
    });
  });
});
