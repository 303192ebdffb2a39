/**
 * The transactions of `packages/db`, in memory: each function is one of them, and each is atomic.
 */
import { afterBootFailure } from "@molecule/domain/backoff";
import type { Decision, DownCause, LifecycleFacts } from "@molecule/domain/decide";
import type { AttemptOutcome, AttemptReason, ObservationKind, Stage } from "@molecule/domain/sets";
import { dirtyAfterWrite, settleDueAt } from "@molecule/domain/settle";
import { stopOfTries } from "@molecule/domain/stop-tries";
import {
  type Attempt,
  BEAT_FRESH_MS,
  BOOT_TIMEOUT_MS,
  type Content,
  CREATE_TIMEOUT_MS,
  currentAttempt,
  LEASE_MS,
  LIFECYCLE,
  STOP_ALERT_MS,
  Violation,
  type World,
} from "./world.ts";

/** A lease on the row. */
export interface Claim {
  readonly owner: number;
  readonly epoch: number;
}

/** `claimDue`. */
export function claim(world: World, owner: number): Claim | null {
  const { row, now, mutant } = world;
  if (row.nextActionAt === null || row.nextActionAt > now) return null;
  if (mutant !== "M16" && row.leaseUntil !== null) {
    if (mutant === "M13" || row.leaseUntil >= now) return null;
  }
  row.leaseOwner = owner;
  row.leaseEpoch += 1;
  row.leaseUntil = now + LEASE_MS;
  return { owner, epoch: row.leaseEpoch };
}

/** `holdWorkspace`: false when the lease is lost. */
export function holds(world: World, held: Claim): boolean {
  if (world.mutant === "M3" || world.mutant === "M16") return true;
  return world.row.leaseEpoch === held.epoch && world.row.leaseOwner === held.owner;
}

export function release(world: World, wakeAt: number | null): void {
  const { row } = world;
  row.leaseOwner = null;
  row.leaseUntil = null;
  row.nextActionAt = wakeAt;
}

const at = (ms: number | null) => (ms === null ? null : new Date(ms));

/** The facts as `holdWorkspace` reads them. */
export function factsOf(world: World): LifecycleFacts {
  const { row, beat } = world;
  const attempt = currentAttempt(world);
  const own = beat !== null && beat.attemptNo === row.currentAttempt ? beat : null;
  return {
    intent: row.intent,
    startReason: row.startReason,
    phase: row.phase,
    backend: "process",
    applyPolicy: row.applyPolicy,
    desiredGen: row.desiredGen,
    appliedGen: row.appliedGen,
    forceSeq: row.forceSeq,
    appliedForce: row.appliedForce,
    dirty: row.dirty,
    pendingKinds: world.pending.filter(({ gen }) => gen > row.appliedGen).map(({ kind }) => kind),
    deadlineAt: at(row.deadlineAt),
    nextActionAt: at(row.nextActionAt),
    readyAt: at(row.readyAt),
    crashCount: row.crashCount,
    attempt: attempt && { ...attempt, createdAt: new Date(attempt.createdAt) },
    hasBeaten: own !== null && row.currentAttempt > 0,
    down: downOf(world, attempt),
    activeTurns: own !== null && own.at > world.now - BEAT_FRESH_MS ? own.activeTasks : 0,
  };
}

function downOf(world: World, attempt: Attempt | null): DownCause | null {
  if (attempt === null) return null;
  const since = attempt.readyAt ?? attempt.createdAt;
  const seen = world.observations.find(
    (one) => one.attemptNo === attempt.no && one.kind !== "missed_heartbeat" && one.at >= since,
  );
  if (seen === undefined) return null;
  if (seen.isPlatformStop) return "platform_stopped";
  return seen.kind === "unreachable" ? "unhealthy" : "exited";
}

/** `beginAttempt`. */
export function begin(world: World, reason: AttemptReason): void {
  const { row, now } = world;
  if (world.stoppedGen !== null) {
    throw new Violation("what a person stopped stays stopped", `attempt by ${reason}`);
  }
  closeOpenAttempt(world);
  row.currentAttempt += 1;
  world.attempts.push({
    no: row.currentAttempt,
    reason,
    createdAt: now,
    outcome: null,
    stage: "queued",
    stageAt: now,
    snapGen: null,
    snapForce: null,
    readyAt: null,
    closedAtStep: world.step,
    bootingAt: null,
    hasOwnAgentBeaten: false,
  });
  row.phase = "STOPPING";
  row.deadlineAt = now + STOP_ALERT_MS;
  row.nextActionAt = now;
  row.isSuspected = false;
  for (const no of world.tokens.keys()) if (no < row.currentAttempt) world.tokens.set(no, true);
}

export function closeOpenAttempt(world: World): void {
  for (const attempt of world.attempts) if (attempt.outcome === null) attempt.outcome = "aborted";
}

export function advance(world: World, stage: Stage): void {
  const attempt = currentAttempt(world);
  if (attempt === null || attempt.stage === stage) return;
  attempt.stage = stage;
  attempt.stageAt = world.now;
}

/** What a reader of settings, secrets and files sees now. */
export function readContent(world: World): Content {
  const complete =
    world.missingData.size === 0 ? world.row.desiredGen : Math.min(...world.missingData) - 1;
  return { complete, writes: world.writes };
}

/** `takeSnapshot`: generation under the row lock, then the content, in one transaction. */
export function snapshot(world: World): Content {
  const { row } = world;
  const attempt = currentAttempt(world);
  if (attempt === null) throw new Error("invariant: a snapshot belongs to an attempt");
  attempt.snapGen = row.desiredGen;
  attempt.snapForce = row.forceSeq;
  attempt.closedAtStep = world.step;
  world.tokens.set(attempt.no, world.tokens.get(attempt.no) ?? false);
  row.phase = "CREATING";
  if (row.desiredGen > row.appliedGen) {
    row.dirty = { ...row.dirty, streamRestarts: row.dirty.streamRestarts + 1 };
  }
  row.deadlineAt = world.now + CREATE_TIMEOUT_MS;
  row.nextActionAt = world.now;
  advance(world, "creating");
  return readContent(world);
}

/** `recordCreated`. */
export function recordCreated(world: World, instanceId: number): void {
  const { row } = world;
  const attempt = currentAttempt(world);
  if (attempt === null) throw new Error("invariant: a creation belongs to an attempt");
  if (!world.machines.has(instanceId)) {
    world.machines.set(instanceId, { attemptNo: attempt.no, isRemoved: false });
  }
  attempt.bootingAt = world.now;
  row.phase = "BOOTING";
  row.deadlineAt = world.now + (world.mutant === "M15" ? 1e12 : BOOT_TIMEOUT_MS);
  row.nextActionAt = world.now;
  if (attempt.stage !== "first_heartbeat") advance(world, "booting");
}

/** `makeReady`. */
export function makeReady(world: World, no: number): boolean {
  const { row } = world;
  const attempt = currentAttempt(world);
  if (attempt === null || attempt.no !== no || row.intent !== "run") return false;
  const isLate =
    (row.phase === "BACKOFF" || row.phase === "FAILED") && attempt.outcome === "boot_timeout";
  if (!isLate && !(row.phase === "BOOTING" && attempt.outcome === null)) return false;
  if (attempt.snapGen === null || attempt.snapForce === null) return false;
  if (!attempt.hasOwnAgentBeaten) {
    throw new Violation("a beat of an older attempt never makes READY", `attempt ${no}`);
  }
  world.stoppedGen = null;
  const answers = world.mutant === "M2" ? row.desiredGen : attempt.snapGen;
  const isDirty = row.desiredGen > answers;
  row.phase = "READY";
  row.isSuspected = false;
  row.bootFailures = 0;
  row.appliedGen = Math.max(row.appliedGen, answers);
  row.appliedForce = Math.max(row.appliedForce, attempt.snapForce);
  row.deadlineAt = null;
  row.readyAt = world.now;
  row.dirty = { ...row.dirty, firstDirtyAt: isDirty ? row.dirty.lastDirtyAt : null };
  row.nextActionAt = isDirty || row.forceSeq > attempt.snapForce ? world.now : null;
  attempt.outcome = "ready";
  attempt.readyAt = world.now;
  return true;
}

/** Registration and beat with the token of `no`: 200, 401 or 409. */
export function beat(world: World, no: number, activeTasks: number): 200 | 401 | 409 {
  const isByWorkspace = world.mutant === "M12";
  const isRevoked = world.tokens.get(no);
  const own = world.attempts[no - 1];
  if (isRevoked === undefined || own === undefined) return 401;
  if (world.row.intent === "deleted" || (isRevoked && !isByWorkspace)) return 409;
  const spoken = isByWorkspace ? world.row.currentAttempt : no;
  const attempt = world.attempts[spoken - 1];
  if (world.beat !== null && world.beat.attemptNo > spoken) return 409;
  own.hasOwnAgentBeaten = true;
  if (attempt === undefined) return 401;
  if (attempt.outcome === null && attempt.stage !== "first_heartbeat" && attempt.snapGen !== null) {
    attempt.stage = "first_heartbeat";
    attempt.stageAt = world.now;
  }
  world.beat = { attemptNo: spoken, at: world.now, activeTasks };
  if (world.row.phase === "READY") world.row.isSuspected = false;
  if (attempt.outcome === null || attempt.outcome === "boot_timeout") makeReady(world, spoken);
  return 200;
}

type BootFailure = Extract<AttemptOutcome, "boot_timeout" | "boot_failed" | "create_failed">;

/** `failAttempt`. */
export function failAttempt(world: World, outcome: BootFailure, isMachineFault = false): void {
  const { row, now } = world;
  const attempt = currentAttempt(world);
  if (attempt === null) throw new Error("invariant: only an attempt fails");
  if (outcome === "boot_timeout" && now - (attempt.bootingAt ?? now) < BOOT_TIMEOUT_MS) {
    throw new Violation("a boot has its whole time", `attempt ${attempt.no} was cut short`);
  }
  const snapGen = attempt.snapGen ?? row.desiredGen;
  const previous = world.attempts[attempt.no - 2]?.snapGen ?? null;
  const after = afterBootFailure(
    {
      bootFailures: row.bootFailures,
      isSameGeneration: row.bootFailures === 0 || previous === snapGen,
      isRetryable: true,
      isMachineFault,
    },
    new Date(now),
    LIFECYCLE.backoff,
  );
  attempt.outcome = outcome;
  if (attempt.snapGen === null) attempt.closedAtStep = world.step;
  attempt.snapGen = snapGen;
  attempt.snapForce ??= row.forceSeq;
  world.causes.failures += 1;
  row.phase = after.phase;
  row.bootFailures = after.bootFailures;
  row.deadlineAt = null;
  const isDirty = row.desiredGen > snapGen;
  row.nextActionAt = after.retryAt?.getTime() ?? (isDirty ? now : null);
  row.dirty = { ...row.dirty, firstDirtyAt: isDirty ? row.dirty.lastDirtyAt : null };
}

/** `recordCrash`. */
export function recordCrash(world: World, decision: Extract<Decision, { kind: "backoff" }>): void {
  world.row.phase = "BACKOFF";
  world.row.crashCount = decision.crashCount;
  world.row.nextActionAt = decision.retryAt.getTime();
}

/** `recordPaused`. */
export function recordPaused(world: World): void {
  const { row } = world;
  closeOpenAttempt(world);
  row.phase = "PAUSED";
  row.deadlineAt = null;
  row.isSuspected = false;
  row.nextActionAt = row.intent === "run" ? world.now : null;
}

/** `recordObservation`: false when the attempt has been replaced or nothing of it is expected to run. */
export function observe(
  world: World,
  attemptNo: number,
  seen: {
    readonly kind: ObservationKind;
    readonly isPlatformStop?: boolean;
    /** Seen by who has the instance in hand; while an attempt is open a probe changes nothing. */
    readonly isInHand?: boolean;
  },
): boolean {
  const { row, mutant } = world;
  const isDown = seen.kind !== "missed_heartbeat";
  const isExpected = row.phase === "READY" || (seen.isInHand === true && row.phase === "BOOTING");
  const isCurrent = row.currentAttempt === attemptNo && row.intent === "run";
  if (!isCurrent || !(isExpected || mutant === "M7")) {
    world.ignoredReports += 1;
    return false;
  }
  if (isDown) row.nextActionAt = world.now;
  else row.isSuspected = true;
  world.observations.push({
    attemptNo,
    kind: seen.kind,
    isPlatformStop: seen.isPlatformStop === true,
    at: world.now,
  });
  return true;
}

/** One write of desired state as a person makes it. */
export interface ModelWrite {
  readonly kind: "file" | "setting" | "secret";
  readonly isBatch: boolean;
}

/** `recordWrite` without the data: raises the generation and arms the timer. Answers the generation. */
export function bumpGeneration(world: World, write: ModelWrite): number | null {
  const { row, now } = world;
  if (row.intent === "deleted") return null;
  const isOpen = row.phase === "STOPPING" || row.phase === "CREATING" || row.phase === "BOOTING";
  if (world.mutant === "M14" && isOpen) return row.desiredGen;
  const before = row.dirty;
  row.desiredGen += 1;
  world.stoppedGen = null;
  row.dirty = dirtyAfterWrite(
    before,
    {
      stream: write.kind === "file" ? "files" : "settings",
      isBatch: write.isBatch,
      at: new Date(now),
    },
    LIFECYCLE.settle,
  );
  world.pending.push({ gen: row.desiredGen, kind: write.kind });
  countCauses(world, write, before);
  const due = settleDueAt(row.dirty, LIFECYCLE.settle);
  if ((row.phase === "READY" || row.phase === "FAILED") && due !== null) {
    row.nextActionAt = Math.min(row.nextActionAt ?? Number.POSITIVE_INFINITY, due.getTime());
  }
  return row.desiredGen;
}

/** A6: a stream causes at most two restarts, and one more for each 15 minutes it lasts. */
function countCauses(world: World, write: ModelWrite, before: World["row"]["dirty"]): void {
  const { causes, now } = world;
  if (write.isBatch) causes.batches += 1;
  const last = before.lastDirtyAt?.getTime();
  const gap = before.stream === null ? 0 : LIFECYCLE.settle.secondQuietMs[before.stream];
  if (last === undefined || now - last > gap) {
    causes.streams += 1;
    world.streamStartedAt = now;
  } else if (now - world.streamStartedAt >= LIFECYCLE.settle.hardLimitMs) {
    causes.longStreams += 1;
    world.streamStartedAt = now;
  }
}

/** The data of a write becomes visible. */
export function commitData(world: World, gen: number): void {
  world.missingData.delete(gen);
  world.writes += 1;
}

/** `requestRestart`. */
export function click(world: World): void {
  const { row } = world;
  if (row.intent !== "run") return;
  world.causes.clicks += 1;
  world.stoppedGen = null;
  world.lastClickStep = world.step;
  const hasSnapshot = row.phase === "CREATING" || row.phase === "BOOTING";
  if (!(world.mutant === "M8" && hasSnapshot)) row.forceSeq += 1;
  row.crashCount = 0;
  row.bootFailures = 0;
  row.nextActionAt = world.now;
}

/** `stopTrying`. */
export function stopTrying(world: World): void {
  const { row } = world;
  const isClicked =
    row.forceSeq > Math.max(currentAttempt(world)?.snapForce ?? 0, row.appliedForce);
  const { kind } = stopOfTries({ intent: row.intent, phase: row.phase, isClicked });
  if (kind !== "stop") return;
  row.phase = "FAILED";
  world.stoppedGen = row.desiredGen;
  const isTimerLeft = world.mutant === "M19";
  row.nextActionAt = isTimerLeft ? world.now : null;
  if (!isTimerLeft) row.dirty = { ...row.dirty, firstDirtyAt: null, lastDirtyAt: null };
}

/** `setIntent`, and the same for hibernation. */
export function want(world: World, to: "pause" | "hibernate" | "resume" | "wake" | "delete"): void {
  const { row } = world;
  if (row.intent === "deleted") return;
  if (to === "resume" || to === "wake") {
    if (row.intent === "run" || (to === "wake" && row.intent !== "hibernated")) return;
    row.intent = "run";
    row.startReason = to;
    world.causes.resumes += 1;
    if (row.phase !== "NEW" && world.mutant !== "M20") {
      row.phase = "PAUSED";
      row.deadlineAt = null;
    }
    world.lastResumeStep = world.step;
  } else if (to === "delete") {
    row.intent = "deleted";
    for (const no of world.tokens.keys()) world.tokens.set(no, true);
  } else if (to === "pause") row.intent = "paused";
  else if (row.intent === "run") row.intent = "hibernated";
  world.stoppedGen = null;
  row.intentAt = world.now;
  row.nextActionAt = world.now;
}

/** `writePolicies`. */
export function setPolicy(world: World, policy: World["row"]["applyPolicy"]): void {
  const { row } = world;
  row.applyPolicy = policy;
  if (row.desiredGen > row.appliedGen && row.phase === "READY") row.nextActionAt = world.now;
}

/** Revokes the tokens of attempts below `no`. */
export function revokeBelow(world: World, no: number): void {
  for (const attempt of world.tokens.keys()) if (attempt < no) world.tokens.set(attempt, true);
}
