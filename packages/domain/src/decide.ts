import { type BackoffSettings, backoffDelayMs, crashCountAfter } from "./backoff.ts";
import type {
  ApplyPolicy,
  AttemptOutcome,
  AttemptReason,
  Backend,
  ChangeKind,
  Intent,
  Phase,
  Stage,
} from "./sets.ts";
import { type DirtyState, type SettleSettings, settleDueAt } from "./settle.ts";
import { type IdleFacts, sleepsAt } from "./sleep.ts";

/** Times the decision depends on. Tests and the chaos run scale them down. */
export interface LifecycleSettings {
  readonly settle: SettleSettings;
  readonly backoff: BackoffSettings;
  /** How often a starting instance is looked at, in ms. */
  readonly bootPollMs: number;
  /** How often the end of running turns is looked for, in ms. */
  readonly turnPollMs: number;
}

/** The latest attempt of a workspace. */
export interface AttemptFacts {
  readonly no: number;
  readonly reason: AttemptReason;
  /** Absent while the attempt is open. */
  readonly outcome: AttemptOutcome | null;
  readonly stage: Stage | null;
  /** The generation and the click count that the attempt answers for; absent before its snapshot. */
  readonly snapGen: number | null;
  readonly snapForce: number | null;
  /** When it began. Absent: a start is looked after at the same pace for as long as it takes. */
  readonly createdAt?: Date;
}

/** What a probe or the reconciler saw of the current attempt's instance. */
export type DownCause =
  | "exited"
  | "unhealthy"
  /** It ended while no worker ran: with the platform or with its machine. */
  | "platform_stopped";

/** Everything the decision reads. Written by people, agents and probes; never by the decision. */
export interface LifecycleFacts {
  readonly intent: Intent;
  /** Why it starts when it rests and shall run again. Absent: `resume`. */
  readonly startReason?: AttemptReason;
  readonly phase: Phase;
  readonly backend: Backend;
  readonly applyPolicy: ApplyPolicy;
  readonly desiredGen: number;
  readonly appliedGen: number;
  readonly forceSeq: number;
  readonly appliedForce: number;
  readonly dirty: DirtyState;
  /** Kinds of the writes that are not applied yet. */
  readonly pendingKinds: readonly ChangeKind[];
  readonly deadlineAt: Date | null;
  /** The row's timer. Only BACKOFF reads it as a fact: it is the end of the wait. */
  readonly nextActionAt: Date | null;
  readonly readyAt: Date | null;
  readonly crashCount: number;
  readonly attempt: AttemptFacts | null;
  /** The current attempt's agent has beaten. */
  readonly hasBeaten: boolean;
  /** The current attempt's instance was seen down since it became READY (or since it boots). */
  readonly down: DownCause | null;
  /** Turns that run now. */
  readonly activeTurns: number;
  /** Absent: it never falls asleep by itself. */
  readonly idle?: IdleFacts | null;
}

/** What to do with a workspace now. One of these is always right, whoever asks, however often. */
export type Decision =
  /** Nothing before `wakeAt`; null: nothing until something is written. */
  | { readonly kind: "none"; readonly wakeAt: Date | null; readonly isWaitingForTurns: boolean }
  /** A new attempt; an open one is closed as aborted. */
  | { readonly kind: "begin"; readonly reason: AttemptReason }
  /** Remove every instance of an older attempt and wait until the backend says gone. */
  | { readonly kind: "stop" }
  /** Make ready what the start needs, then read generation and content under the row lock. */
  | { readonly kind: "snapshot" }
  /** Create the instance, or adopt the one that this attempt has made already. */
  | { readonly kind: "create" }
  /** Look at the starting instance now and again at `wakeAt`. */
  | { readonly kind: "awaitBoot"; readonly wakeAt: Date }
  /** The agent has beaten before anybody recorded its start. */
  | { readonly kind: "ready" }
  | { readonly kind: "bootTimeout" }
  | { readonly kind: "bootExited" }
  /** The running agent is gone: wait until `retryAt`, then try again. */
  | {
      readonly kind: "backoff";
      readonly cause: DownCause;
      readonly crashCount: number;
      readonly retryAt: Date;
    }
  /** Nothing has happened for as long as it may stay up: it shall rest until a message comes. */
  | { readonly kind: "fallAsleep"; readonly minutes: number }
  /** Stop everything; the workspace stays as it is until it is resumed. */
  | { readonly kind: "pause" }
  /** Stop everything and remove what it stored. */
  | { readonly kind: "delete" };

const NOTHING: Decision = { kind: "none", wakeAt: null, isWaitingForTurns: false };

/** Answers what is to be done with a workspace at `now`. Source: lifecycle A4. SPEC: R1 to R27, L1. */
export function decide(facts: LifecycleFacts, now: Date, settings: LifecycleSettings): Decision {
  if (facts.phase === "DELETED") return NOTHING;
  if (facts.intent === "deleted") return { kind: "delete" };
  if (facts.backend === "external") return NOTHING;
  if (facts.intent !== "run") return facts.phase === "PAUSED" ? NOTHING : { kind: "pause" };
  switch (facts.phase) {
    case "NEW":
      return { kind: "begin", reason: "create" };
    case "PAUSED":
      return { kind: "begin", reason: facts.startReason ?? "resume" };
    case "STOPPING":
      return facts.attempt?.stage === "preparing" ? { kind: "snapshot" } : { kind: "stop" };
    case "CREATING":
      return isClicked(facts) ? clicked(facts) : { kind: "create" };
    case "BOOTING":
      return whileBooting(facts, now, settings);
    case "READY":
      return whileReady(facts, now, settings);
    case "BACKOFF":
      return whileInBackoff(facts, now);
    case "FAILED":
      return whileFailed(facts, now, settings);
    case "DELETING":
      return { kind: "delete" };
  }
}

/** True when a click came after everything that the latest attempt answers for. */
function isClicked(facts: LifecycleFacts): boolean {
  return facts.forceSeq > Math.max(facts.attempt?.snapForce ?? 0, facts.appliedForce);
}

/** A click that applies a template is named by it; R26. */
function clicked(facts: LifecycleFacts): Decision {
  const reason = facts.pendingKinds.includes("template") ? "template" : "user";
  return { kind: "begin", reason };
}

function whileBooting(facts: LifecycleFacts, now: Date, settings: LifecycleSettings): Decision {
  if (isClicked(facts)) return clicked(facts);
  if (facts.down === "platform_stopped") return { kind: "begin", reason: "platform_upgrade" };
  if (facts.hasBeaten) return { kind: "ready" };
  if (facts.down !== null) return { kind: "bootExited" };
  const deadline = facts.deadlineAt ?? now;
  if (deadline <= now) return { kind: "bootTimeout" };
  const next = new Date(now.getTime() + bootPollMs(facts, now, settings));
  return { kind: "awaitBoot", wakeAt: next < deadline ? next : deadline };
}

/** Slow starts wait most of all: a tenth of what one has taken, so that many of them cost little. R28. */
const BOOT_POLL_SHARE = 0.1;
const BOOT_POLL_MOST = 10;

function bootPollMs({ attempt }: LifecycleFacts, now: Date, settings: LifecycleSettings): number {
  const least = settings.bootPollMs;
  const takenMs = now.getTime() - (attempt?.createdAt ?? now).getTime();
  return Math.min(Math.max(least, takenMs * BOOT_POLL_SHARE), least * BOOT_POLL_MOST);
}

function whileReady(facts: LifecycleFacts, now: Date, settings: LifecycleSettings): Decision {
  if (isClicked(facts)) return clicked(facts);
  if (facts.down === "platform_stopped") return { kind: "begin", reason: "platform_upgrade" };
  if (facts.down !== null) {
    const crashCount = crashCountAfter(facts, now, settings.backoff);
    const retryAt = new Date(now.getTime() + backoffDelayMs(crashCount, settings.backoff));
    return { kind: "backoff", cause: facts.down, crashCount, retryAt };
  }
  if (facts.desiredGen <= facts.appliedGen) return whileClean(facts, now);
  if (facts.applyPolicy === "hold") return NOTHING;
  const due = settleDueAt(facts.dirty, settings.settle) ?? now;
  if (due > now) return { kind: "none", wakeAt: due, isWaitingForTurns: false };
  if (facts.activeTurns > 0 && mayWaitForTurns(facts.applyPolicy, due, now, settings)) {
    const again = new Date(now.getTime() + settings.turnPollMs);
    return { kind: "none", wakeAt: again, isWaitingForTurns: true };
  }
  return { kind: "begin", reason: reasonOfChanges(facts.pendingKinds) };
}

/** Only what runs what was saved falls asleep: waking applies, and `hold` waits for a person. */
function whileClean({ idle, activeTurns }: LifecycleFacts, now: Date): Decision {
  if (idle === undefined || idle === null) return NOTHING;
  const isBusy = idle.isBusy || activeTurns > 0;
  const wakeAt = sleepsAt({ ...idle, isBusy }, now);
  if (wakeAt <= now) return { kind: "fallAsleep", minutes: idle.minutes };
  return { kind: "none", wakeAt, isWaitingForTurns: false };
}

function mayWaitForTurns(
  policy: ApplyPolicy,
  due: Date,
  now: Date,
  settings: LifecycleSettings,
): boolean {
  if (policy === "idle") return true;
  return now.getTime() < due.getTime() + settings.settle.turnWaitMs;
}

function whileInBackoff(facts: LifecycleFacts, now: Date): Decision {
  if (isClicked(facts)) return clicked(facts);
  const wakeAt = facts.nextActionAt;
  if (wakeAt !== null && wakeAt > now) return { kind: "none", wakeAt, isWaitingForTurns: false };
  return { kind: "begin", reason: retryReason(facts) };
}

function retryReason(facts: LifecycleFacts): AttemptReason {
  if (facts.attempt?.outcome !== "ready") return "boot_retry";
  return facts.down === "unhealthy" ? "unhealthy" : "crash";
}

function whileFailed(facts: LifecycleFacts, now: Date, settings: LifecycleSettings): Decision {
  if (isClicked(facts)) return clicked(facts);
  const answered = Math.max(facts.attempt?.snapGen ?? 0, facts.appliedGen);
  if (facts.desiredGen <= answered) return NOTHING;
  const due = settleDueAt(facts.dirty, settings.settle);
  // A person stopped the tries: what was pending then waits for a click or for the next write (L1).
  if (due === null) return NOTHING;
  if (due > now) return { kind: "none", wakeAt: due, isWaitingForTurns: false };
  return { kind: "begin", reason: reasonOfChanges(facts.pendingKinds) };
}

const REASON_OF_KIND: readonly (readonly [ChangeKind, AttemptReason])[] = [
  ["image", "image"],
  ["redeploy", "redeploy"],
  ["template", "template"],
  ["plugin", "plugin"],
  ["setting", "settings"],
  ["secret", "secret"],
  ["file", "files"],
];

/** The reason of an attempt that carries writes of these kinds; the weightiest names it. SPEC: R13. */
export function reasonOfChanges(kinds: readonly ChangeKind[]): AttemptReason {
  const found = REASON_OF_KIND.find(([kind]) => kinds.includes(kind));
  return found?.[1] ?? "settings";
}

/**
 * True when a person asked for the attempt, so that nothing has restarted by itself; a template asks for
 * itself where a click brought it. SPEC: R24.
 */
export function isAskedFor(reason: AttemptReason, isClicked: boolean): boolean {
  if (reason === "template") return isClicked;
  return reason === "create" || reason === "user" || reason === "resume";
}
