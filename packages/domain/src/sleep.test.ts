import { describe, expect, it } from "vitest";
import { DEFAULT_BACKOFF_SETTINGS } from "./backoff.ts";
import { decide, type LifecycleFacts } from "./decide.ts";
import { PHASES } from "./sets.ts";
import { DEFAULT_SETTLE_SETTINGS } from "./settle.ts";
import { explainSleep, type IdleFacts } from "./sleep.ts";

const T0 = new Date("2026-01-01T12:00:00Z");
const minutes = (count: number) => new Date(T0.getTime() + count * 60_000);
const SETTINGS = {
  settle: DEFAULT_SETTLE_SETTINGS,
  backoff: DEFAULT_BACKOFF_SETTINGS,
  bootPollMs: 500,
  turnPollMs: 2_000,
};
const IDLE: IdleFacts = { minutes: 30, since: T0, isBusy: false };
const FACTS: LifecycleFacts = {
  intent: "run",
  phase: "READY",
  backend: "process",
  applyPolicy: "settle",
  desiredGen: 1,
  appliedGen: 1,
  forceSeq: 0,
  appliedForce: 0,
  dirty: {
    firstDirtyAt: null,
    lastDirtyAt: null,
    stream: null,
    streamRestarts: 0,
    isBatch: false,
  },
  pendingKinds: [],
  deadlineAt: minutes(100),
  nextActionAt: null,
  readyAt: T0,
  crashCount: 0,
  attempt: {
    no: 1,
    reason: "create",
    outcome: "ready",
    stage: "first_heartbeat",
    snapGen: 1,
    snapForce: 0,
  },
  hasBeaten: true,
  down: null,
  activeTurns: 0,
  idle: IDLE,
};
const at = (now: Date, over: Partial<LifecycleFacts> = {}) =>
  decide({ ...FACTS, ...over }, now, SETTINGS);
const waits = (wakeAt: Date) => ({ kind: "none", wakeAt, isWaitingForTurns: false });

describe("falling asleep", () => {
  it("P8: comes at the very minute, and is looked at no earlier", () => {
    expect(at(minutes(5))).toEqual(waits(minutes(30)));
    expect(at(new Date(minutes(30).getTime() - 1))).toEqual(waits(minutes(30)));
    expect(at(minutes(30))).toEqual({ kind: "fallAsleep", minutes: 30 });
    expect(at(minutes(999), { idle: null })).toMatchObject({ kind: "none", wakeAt: null });
    expect(explainSleep(30)).toBe("Put to sleep after 30 minutes without work; a message wakes it");
    expect(explainSleep(1)).toContain("after a minute without");
  });

  it("P9: waits the whole time again while a turn runs or a message is there", () => {
    const busy = waits(minutes(70));
    expect(at(minutes(40), { activeTurns: 1 })).toEqual(busy);
    expect(at(minutes(40), { idle: { ...IDLE, isBusy: true } })).toEqual(busy);
  });

  it("P9: never happens with something unapplied, a click, an ended instance or an open attempt", () => {
    const late = minutes(999);
    const dirty = {
      desiredGen: 2,
      dirty: { ...FACTS.dirty, firstDirtyAt: late, lastDirtyAt: late, stream: "files" as const },
    };
    expect(at(late, dirty).kind).toBe("none");
    expect(at(late, { ...dirty, applyPolicy: "hold" })).toMatchObject({ wakeAt: null });
    expect(at(late, { forceSeq: 1 }).kind).toBe("begin");
    expect(at(late, { down: "exited" }).kind).toBe("backoff");
    for (const phase of PHASES.filter((one) => one !== "READY")) {
      expect(at(late, { phase }).kind).not.toBe("fallAsleep");
    }
    for (const intent of ["paused", "hibernated", "deleted"] as const) {
      expect(at(late, { intent }).kind).not.toBe("fallAsleep");
    }
    expect(at(late, { backend: "external" }).kind).toBe("none");
  });
});
