import { DEFAULT_BACKOFF_SETTINGS } from "@molecule/domain/backoff";
import type { LifecycleSettings } from "@molecule/domain/decide";
import type {
  ApplyPolicy,
  AttemptOutcome,
  AttemptReason,
  ChangeKind,
  Intent,
  ObservationKind,
  Phase,
  Stage,
} from "@molecule/domain/sets";
import { DEFAULT_SETTLE_SETTINGS, type DirtyState } from "@molecule/domain/settle";
import type { MutantId } from "./mutants.ts";

/** The settle and backoff times of production; polls are rare, because time hops in the model. */
export const LIFECYCLE: LifecycleSettings = {
  settle: DEFAULT_SETTLE_SETTINGS,
  backoff: DEFAULT_BACKOFF_SETTINGS,
  bootPollMs: 60_000,
  turnPollMs: 60_000,
};
export const BOOT_TIMEOUT_MS = 600_000;
export const CREATE_TIMEOUT_MS = 180_000;
export const STOP_ALERT_MS = 600_000;
export const LEASE_MS = 15_000;
export const BEAT_FRESH_MS = 90_000;

/** A promise of the product that a schedule broke. */
export class Violation extends Error {
  readonly promise: string;

  constructor(promise: string, detail: string) {
    super(`${promise}: ${detail}`);
    this.promise = promise;
  }
}

/** The row of `workspaces`, as far as the reconciler reads and writes it. */
export interface Row {
  intent: Intent;
  intentAt: number;
  startReason: "resume" | "wake";
  phase: Phase;
  applyPolicy: ApplyPolicy;
  isSuspected: boolean;
  desiredGen: number;
  appliedGen: number;
  forceSeq: number;
  appliedForce: number;
  currentAttempt: number;
  dirty: DirtyState;
  crashCount: number;
  bootFailures: number;
  readyAt: number | null;
  nextActionAt: number | null;
  deadlineAt: number | null;
  leaseOwner: number | null;
  leaseEpoch: number;
  leaseUntil: number | null;
}

/** What an attempt starts with: the highest generation it holds completely, and how many writes. */
export interface Content {
  readonly complete: number;
  readonly writes: number;
}

/** A row of `attempts`; the lower half is what really happened, which no rule may read. */
export interface Attempt {
  readonly no: number;
  readonly reason: AttemptReason;
  readonly createdAt: number;
  outcome: AttemptOutcome | null;
  stage: Stage;
  stageAt: number;
  snapGen: number | null;
  snapForce: number | null;
  readyAt: number | null;
  /** Step of the schedule at which it could still take something in for the last time. */
  closedAtStep: number;
  bootingAt: number | null;
  hasOwnAgentBeaten: boolean;
}

export interface Observation {
  readonly attemptNo: number;
  readonly kind: ObservationKind;
  readonly isPlatformStop: boolean;
  readonly at: number;
}

/** What the provider runs. */
export interface Instance {
  readonly id: number;
  readonly attemptNo: number;
  readonly content: Content;
  state: "running" | "exited";
  /** It runs and will never beat (again), nor answer. */
  isHung: boolean;
  activeTasks: number;
}

/** How often the world gave a cause for an attempt; attempts are held against it. */
export interface Causes {
  streams: number;
  longStreams: number;
  batches: number;
  clicks: number;
  resumes: number;
  /** Instances that ended or hung, whoever's fault; never a mere report. */
  downs: number;
  failures: number;
  platformStops: number;
}

/** A platform with one workspace, its provider and its clock. */
export interface World {
  readonly mutant: MutantId | null;
  /** Milliseconds. */
  now: number;
  step: number;
  readonly row: Row;
  readonly attempts: Attempt[];
  /** attempt → is revoked. */
  readonly tokens: Map<number, boolean>;
  readonly machines: Map<number, { attemptNo: number; isRemoved: boolean }>;
  beat: { attemptNo: number; at: number; activeTasks: number } | null;
  readonly observations: Observation[];
  readonly instances: Map<number, Instance>;
  nextInstance: number;
  /** Provider calls that fail from now on. */
  providerFaults: number;
  /** Committed writes of data, and generations whose data is not there yet. */
  writes: number;
  readonly missingData: Set<number>;
  readonly pending: { readonly gen: number; readonly kind: ChangeKind }[];
  readonly causes: Causes;
  streamStartedAt: number;
  lastClickStep: number;
  /** When what had failed was resumed for the last time. */
  lastResumeStep: number;
  /** The generation at which a person stopped the tries, until something new gives a cause. */
  stoppedGen: number | null;
  ignoredReports: number;
}

export function newWorld(mutant: MutantId | null): World {
  const now = 1_000_000;
  return {
    mutant,
    now,
    step: 0,
    row: {
      intent: "run",
      intentAt: now,
      startReason: "resume",
      phase: "NEW",
      applyPolicy: "settle",
      isSuspected: false,
      desiredGen: 1,
      appliedGen: 0,
      forceSeq: 0,
      appliedForce: 0,
      currentAttempt: 0,
      dirty: {
        firstDirtyAt: null,
        lastDirtyAt: null,
        stream: null,
        streamRestarts: 0,
        isBatch: false,
      },
      crashCount: 0,
      bootFailures: 0,
      readyAt: null,
      nextActionAt: now,
      deadlineAt: null,
      leaseOwner: null,
      leaseEpoch: 0,
      leaseUntil: null,
    },
    attempts: [],
    tokens: new Map(),
    machines: new Map(),
    beat: null,
    observations: [],
    instances: new Map(),
    nextInstance: 1,
    providerFaults: 0,
    writes: 1,
    missingData: new Set(),
    pending: [],
    causes: {
      streams: 0,
      longStreams: 0,
      batches: 0,
      clicks: 0,
      resumes: 0,
      downs: 0,
      failures: 0,
      platformStops: 0,
    },
    streamStartedAt: 0,
    lastClickStep: 0,
    lastResumeStep: 0,
    stoppedGen: null,
    ignoredReports: 0,
  };
}

/** The attempt that is current; null before the first. */
export function currentAttempt(world: World): Attempt | null {
  return world.attempts[world.row.currentAttempt - 1] ?? null;
}
