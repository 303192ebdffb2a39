import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_BACKOFF_SETTINGS } from "./backoff.ts";
import {
  type AttemptFacts,
  decide,
  isAskedFor,
  type LifecycleFacts,
  type LifecycleSettings,
  reasonOfChanges,
} from "./decide.ts";
import {
  APPLY_POLICIES,
  ATTEMPT_OUTCOMES,
  ATTEMPT_REASONS,
  BACKENDS,
  CHANGE_KINDS,
  INTENTS,
  PHASES,
  SETTLE_STREAMS,
  STAGES,
} from "./sets.ts";
import { DEFAULT_SETTLE_SETTINGS } from "./settle.ts";

const SETTINGS: LifecycleSettings = {
  settle: DEFAULT_SETTLE_SETTINGS,
  backoff: DEFAULT_BACKOFF_SETTINGS,
  bootPollMs: 500,
  turnPollMs: 2_000,
};
const T0 = new Date("2026-01-01T12:00:00Z");
const at = (ms: number) => new Date(T0.getTime() + ms);

const ATTEMPT: AttemptFacts = {
  no: 1,
  reason: "create",
  outcome: "ready",
  stage: "first_heartbeat",
  snapGen: 1,
  snapForce: 0,
};
const CLEAN: LifecycleFacts = {
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
  deadlineAt: null,
  nextActionAt: null,
  readyAt: T0,
  crashCount: 0,
  attempt: ATTEMPT,
  hasBeaten: true,
  down: null,
  activeTurns: 0,
};
const open = (over: Partial<LifecycleFacts>): LifecycleFacts => ({
  ...CLEAN,
  appliedGen: 0,
  hasBeaten: false,
  deadlineAt: at(600_000),
  attempt: { ...ATTEMPT, outcome: null, stage: "stopping", snapGen: null, snapForce: null },
  ...over,
});
const snapped = { ...ATTEMPT, outcome: null, stage: "creating" as const };
const dirty = (over: Partial<LifecycleFacts> = {}): LifecycleFacts => ({
  ...CLEAN,
  desiredGen: 2,
  pendingKinds: ["file"],
  dirty: {
    firstDirtyAt: T0,
    lastDirtyAt: T0,
    stream: "files",
    streamRestarts: 0,
    isBatch: false,
  },
  ...over,
});
const decideAt = (facts: LifecycleFacts, ms = 0) => decide(facts, at(ms), SETTINGS);

describe("intent comes first", () => {
  it.each(PHASES)("R1: a deleted workspace in %s is deleted, DELETED left alone", (phase) => {
    const { kind } = decideAt({ ...CLEAN, phase, intent: "deleted" });
    expect(kind).toBe(phase === "DELETED" ? "none" : "delete");
  });
  it.each(PHASES)("R2: an external workspace in %s has nothing decided but deletion", (phase) => {
    if (phase === "DELETED") return;
    expect(decideAt(dirty({ phase, backend: "external" })).kind).toBe("none");
    expect(decideAt(dirty({ phase, backend: "external", intent: "deleted" })).kind).toBe("delete");
  });
  it.each(PHASES)("R3: a paused workspace in %s is stopped, PAUSED left alone", (phase) => {
    if (phase === "DELETED") return;
    for (const intent of ["paused", "hibernated"] as const) {
      const { kind } = decideAt({ ...CLEAN, phase, intent, forceSeq: 5 });
      expect(kind).toBe(phase === "PAUSED" ? "none" : "pause");
    }
  });
});

describe("an attempt goes forward", () => {
  it("R4: NEW begins by creation, PAUSED by resume", () => {
    expect(decideAt({ ...CLEAN, phase: "NEW", attempt: null })).toEqual({
      kind: "begin",
      reason: "create",
    });
    expect(decideAt({ ...CLEAN, phase: "PAUSED" })).toEqual({ kind: "begin", reason: "resume" });
  });
  it("R5: no snapshot before the stop is confirmed", () => {
    expect(decideAt(open({ phase: "STOPPING" })).kind).toBe("stop");
    const confirmed = open({
      phase: "STOPPING",
      attempt: { ...ATTEMPT, outcome: null, stage: "preparing", snapGen: null, snapForce: null },
    });
    expect(decideAt(confirmed).kind).toBe("snapshot");
  });
  it("R6: CREATING creates or adopts, also past its deadline", () => {
    const facts = open({ phase: "CREATING", attempt: snapped });
    expect(decideAt(facts).kind).toBe("create");
    expect(decideAt(facts, 10_000_000).kind).toBe("create");
  });
  it("R7: a click in STOPPING begins no further attempt", () => {
    expect(decideAt(open({ phase: "STOPPING", forceSeq: 1 })).kind).toBe("stop");
  });
  it.each(["CREATING", "BOOTING"] as const)("R8: a click in %s begins an attempt", (phase) => {
    const facts = open({ phase, attempt: snapped, forceSeq: 1 });
    expect(decideAt(facts)).toEqual({ kind: "begin", reason: "user" });
  });
  it.each(["STOPPING", "CREATING", "BOOTING"] as const)(
    "R10: a write in %s ends nothing",
    (phase) => {
      const written = dirty({ ...open({ phase, attempt: snapped }), desiredGen: 9 });
      expect(decideAt(written, 500_000).kind).not.toBe("begin");
    },
  );
  it("R11: BOOTING waits, times out at its deadline, and ends early when the instance exited", () => {
    const facts = open({ phase: "BOOTING", attempt: snapped });
    expect(decideAt(facts)).toEqual({ kind: "awaitBoot", wakeAt: at(500) });
    expect(decideAt(facts, 599_900)).toEqual({ kind: "awaitBoot", wakeAt: at(600_000) });
    expect(decideAt(facts, 600_000).kind).toBe("bootTimeout");
    expect(decideAt({ ...facts, down: "exited" }).kind).toBe("bootExited");
  });
  it("R28: the longer a start takes, the more rarely it is looked at, within bounds", () => {
    const facts = open({ phase: "BOOTING", attempt: { ...snapped, createdAt: T0 } });
    const pauseAt = (ms: number) => {
      const decided = decideAt(facts, ms);
      return decided.kind === "awaitBoot" ? decided.wakeAt.getTime() - at(ms).getTime() : null;
    };
    expect([1_000, 5_000, 20_000, 300_000].map(pauseAt)).toEqual([500, 500, 2_000, 5_000]);
  });
  it("R12: an early beat makes the attempt ready", () => {
    const facts = open({ phase: "BOOTING", attempt: snapped, hasBeaten: true });
    expect(decideAt(facts).kind).toBe("ready");
  });
});

describe("READY", () => {
  it.each(["READY", "BACKOFF", "FAILED"] as const)("R9: a click in %s begins at once", (phase) => {
    const facts = { ...CLEAN, phase, forceSeq: 1, nextActionAt: at(300_000) };
    expect(decideAt(facts)).toEqual({ kind: "begin", reason: "user" });
  });
  it("R13: begins when the settle rule is due, not a millisecond before", () => {
    expect(decideAt(dirty(), 14_999)).toMatchObject({ kind: "none", wakeAt: at(15_000) });
    expect(decideAt(dirty(), 15_000)).toEqual({ kind: "begin", reason: "files" });
  });
  it("R13: the weightiest change names the reason", () => {
    expect(reasonOfChanges(["file", "setting"])).toBe("settings");
    expect(reasonOfChanges(["file", "secret"])).toBe("secret");
    expect(reasonOfChanges(["file", "image", "plugin"])).toBe("image");
    expect(reasonOfChanges(["file"])).toBe("files");
  });
  it("R14: settle waits for turns up to its limit, idle without one", () => {
    const busy = dirty({ activeTurns: 1 });
    expect(decideAt(busy, 15_000)).toEqual({
      kind: "none",
      wakeAt: at(17_000),
      isWaitingForTurns: true,
    });
    expect(decideAt(busy, 615_000).kind).toBe("begin");
    expect(decideAt({ ...busy, applyPolicy: "idle" }, 99_000_000).kind).toBe("none");
  });
  it("R15: hold never begins by a write, a click does", () => {
    const held = dirty({ applyPolicy: "hold" });
    expect(decideAt(held, 9_000_000)).toMatchObject({ kind: "none", wakeAt: null });
    expect(decideAt({ ...held, forceSeq: 1 }).kind).toBe("begin");
  });
  it("R16: clean is left alone without a timer", () => {
    expect(decideAt(CLEAN)).toEqual({ kind: "none", wakeAt: null, isWaitingForTurns: false });
  });
  it("R17: seen down leads to BACKOFF in READY and nowhere else", () => {
    expect(decideAt({ ...CLEAN, down: "exited", crashCount: 1 }, 1_000)).toEqual({
      kind: "backoff",
      cause: "exited",
      crashCount: 2,
      retryAt: at(21_000),
    });
    expect(decideAt(open({ phase: "STOPPING", down: "exited" })).kind).toBe("stop");
    expect(decideAt(open({ phase: "CREATING", attempt: snapped, down: "exited" })).kind).toBe(
      "create",
    );
  });
});

it("R26: a click that applies a template is named by it", () => {
  const click = { ...CLEAN, forceSeq: 1 };
  expect(decide(click, T0, SETTINGS)).toEqual({ kind: "begin", reason: "user" });
  const applied = { ...click, desiredGen: 2, pendingKinds: ["template" as const] };
  expect(decide(applied, T0, SETTINGS)).toEqual({ kind: "begin", reason: "template" });
});
it("R27: what rests begins with the reason it was given", () => {
  const resting = { ...CLEAN, phase: "PAUSED" as const };
  expect(decide(resting, T0, SETTINGS)).toEqual({ kind: "begin", reason: "resume" });
  const woken = { ...resting, startReason: "wake" as const };
  expect(decide(woken, T0, SETTINGS)).toEqual({ kind: "begin", reason: "wake" });
});
it("R25: what ended with the platform is started again at once, also while it booted", () => {
  const booting = open({ phase: "BOOTING", attempt: snapped, down: "platform_stopped" });
  expect(decideAt(booting)).toEqual({ kind: "begin", reason: "platform_upgrade" });
  // It had beaten, but what has ended is not online.
  expect(decideAt({ ...booting, hasBeaten: true })).toMatchObject({ kind: "begin" });
  expect(decideAt({ ...CLEAN, down: "platform_stopped", crashCount: 3 })).toEqual({
    kind: "begin",
    reason: "platform_upgrade",
  });
});

describe("after a failure", () => {
  const failed = { ...ATTEMPT, outcome: "boot_timeout" as const };
  it("R18: BACKOFF begins when its time has come, with the reason of what failed", () => {
    const facts = { ...CLEAN, phase: "BACKOFF" as const, attempt: failed, nextActionAt: at(1_000) };
    expect(decideAt(facts)).toMatchObject({ kind: "none", wakeAt: at(1_000) });
    expect(decideAt(facts, 1_000)).toEqual({ kind: "begin", reason: "boot_retry" });
    expect(decideAt({ ...facts, attempt: ATTEMPT, down: "exited" }, 1_000)).toEqual({
      kind: "begin",
      reason: "crash",
    });
    expect(decideAt({ ...facts, attempt: ATTEMPT, down: "unhealthy" }, 1_000)).toEqual({
      kind: "begin",
      reason: "unhealthy",
    });
  });
  it("R18: a write does not shorten the wait", () => {
    const facts = dirty({ phase: "BACKOFF", attempt: failed, nextActionAt: at(60_000) });
    expect(decideAt(facts, 30_000).kind).toBe("none");
  });
  it("R19: FAILED waits without a timer, and begins by the settle rule after a write", () => {
    const facts = { ...CLEAN, phase: "FAILED" as const, attempt: failed, appliedGen: 0 };
    expect(decideAt(facts, 9_000_000)).toMatchObject({ kind: "none", wakeAt: null });
    const written = dirty({ phase: "FAILED", attempt: failed, pendingKinds: ["secret"] });
    expect(decideAt(written).kind).toBe("none");
    expect(decideAt(written, 15_000)).toEqual({ kind: "begin", reason: "secret" });
  });
  it("L1: what was pending when a person stopped the tries begins nothing, a later write does", () => {
    const { dirty: armed, ...rest } = dirty({ phase: "FAILED", attempt: failed, desiredGen: 3 });
    const stopped = { ...rest, dirty: { ...armed, firstDirtyAt: null, lastDirtyAt: null } };
    expect(decideAt(stopped, 9_000_000)).toMatchObject({ kind: "none", wakeAt: null });
    expect(decideAt({ ...stopped, forceSeq: 1 })).toEqual({ kind: "begin", reason: "user" });
    expect(decideAt({ ...rest, desiredGen: 4, dirty: armed }, 15_000).kind).toBe("begin");
  });
});

describe("over all facts", () => {
  const instant = fc.option(fc.integer({ min: -1_000_000, max: 1_000_000 }).map((ms) => at(ms)));
  const counter = fc.integer({ min: 0, max: 4 });
  const anyFacts: fc.Arbitrary<LifecycleFacts> = fc.record({
    intent: fc.constantFrom(...INTENTS),
    phase: fc.constantFrom(...PHASES),
    backend: fc.constantFrom(...BACKENDS),
    applyPolicy: fc.constantFrom(...APPLY_POLICIES),
    desiredGen: counter,
    appliedGen: counter,
    forceSeq: counter,
    appliedForce: counter,
    dirty: fc.record({
      firstDirtyAt: instant,
      lastDirtyAt: instant,
      stream: fc.option(fc.constantFrom(...SETTLE_STREAMS)),
      streamRestarts: counter,
      isBatch: fc.boolean(),
    }),
    pendingKinds: fc.uniqueArray(fc.constantFrom(...CHANGE_KINDS)),
    deadlineAt: instant,
    nextActionAt: instant,
    readyAt: instant,
    crashCount: counter,
    attempt: fc.option(
      fc.record({
        no: counter,
        reason: fc.constantFrom(...ATTEMPT_REASONS),
        outcome: fc.option(fc.constantFrom(...ATTEMPT_OUTCOMES)),
        stage: fc.option(fc.constantFrom(...STAGES)),
        snapGen: fc.option(counter),
        snapForce: fc.option(counter),
      }),
    ),
    hasBeaten: fc.boolean(),
    down: fc.option(fc.constantFrom("exited" as const, "unhealthy" as const)),
    activeTurns: counter,
  });

  it("R21: the decision is total and repeatable", () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const decision = decideAt(facts);
        expect(decision).toBeDefined();
        expect(decideAt(facts)).toEqual(decision);
      }),
      { numRuns: 2_000 },
    );
  });
  it("R22: a dirty READY workspace that is not held is never left without a time to look again", () => {
    fc.assert(
      fc.property(anyFacts, (any) => {
        const facts: LifecycleFacts = {
          ...any,
          intent: "run",
          backend: "process",
          phase: "READY",
          applyPolicy: any.applyPolicy === "hold" ? "idle" : any.applyPolicy,
          desiredGen: any.appliedGen + 1,
        };
        const decision = decideAt(facts);
        if (decision.kind === "none") expect(decision.wakeAt).not.toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });
  it("R23: an open attempt always has something to do", () => {
    fc.assert(
      fc.property(
        anyFacts,
        fc.constantFrom("STOPPING" as const, "CREATING" as const, "BOOTING" as const),
        (facts, phase) => {
          const decision = decideAt({ ...facts, intent: "run", backend: "process", phase });
          expect(decision.kind).not.toBe("none");
        },
      ),
      { numRuns: 2_000 },
    );
  });
  it("R20: without an observation of this attempt nothing is ever a crash", () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { kind } = decideAt({ ...facts, down: null });
        expect(["backoff", "bootExited"]).not.toContain(kind);
      }),
      { numRuns: 2_000 },
    );
  });
});

it.each(ATTEMPT_REASONS)(
  "R24: %s is a restart by itself unless a person asked for it",
  (reason) => {
    const isAlways = ["create", "user", "resume"].includes(reason);
    expect(isAskedFor(reason, false)).toBe(isAlways);
    expect(isAskedFor(reason, true)).toBe(isAlways || reason === "template");
  },
);
