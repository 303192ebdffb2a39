/** An instance that a backend has listed, with what the database says of its workspace. */
export interface ListedInstance {
  readonly providerId: string;
  /** The attempt on the instance's own label. */
  readonly labelAttempt: number;
  /** Null when there is no such workspace. */
  readonly workspace: {
    readonly isDeleted: boolean;
    /** It rests: everything was stopped, and the next start has a newer number. */
    readonly isResting: boolean;
    readonly currentAttempt: number;
    /** The attempt on the machine's row, which wins over the label; null without a row. */
    readonly machineAttempt: number | null;
    /** A worker is stopping it at this moment. Absent: no. */
    readonly isBeingStopped?: boolean;
  } | null;
  /** A machine that is kept over attempts, and stopped. Absent: no. */
  readonly isAtRest?: boolean;
  /** How long it has been seen without a workspace, in ms. */
  readonly unknownForMs: number;
}

/** What a sweep does with one instance. */
export type SweepVerdict = "keep" | "wait" | "remove" | "remove_deleted";

/** Source: lifecycle A5 sweep. SPEC: G1 to G4, G6, G14, G17. */
export function sweepVerdict(instance: ListedInstance, orphanGraceMs: number): SweepVerdict {
  const { workspace } = instance;
  if (workspace === null) return instance.unknownForMs >= orphanGraceMs ? "remove" : "wait";
  if (workspace.isDeleted) return "remove_deleted";
  const attempt = workspace.machineAttempt ?? instance.labelAttempt;
  const isOld = attempt < workspace.currentAttempt;
  const isCurrent = attempt === workspace.currentAttempt;
  const isUnwanted = workspace.isResting && isCurrent && instance.isAtRest !== true;
  if (!isOld && !isUnwanted) return "keep";
  return workspace.isBeingStopped === true ? "wait" : "remove";
}

/** Why an instance is removed. */
export interface SweepGrounds {
  /** Number of the rule in SPEC.md. */
  readonly rule: "G2" | "G3" | "G6";
  /** Completes "It was still there although …". */
  readonly although: string;
}

/** The grounds of a verdict to remove. */
export function sweepGrounds({ workspace, labelAttempt }: ListedInstance): SweepGrounds {
  if (workspace === null)
    return { rule: "G3", although: "the database does not know its workspace" };
  if (workspace.isDeleted) return { rule: "G2", although: "the workspace was deleted" };
  const { currentAttempt } = workspace;
  return (workspace.machineAttempt ?? labelAttempt) < currentAttempt
    ? { rule: "G2", although: `attempt ${currentAttempt} is the current one` }
    : { rule: "G6", although: "the workspace rests" };
}

/** Time without a word about its work after which an agent is not busy any more. Source: wire contract §13. SPEC: G15. */
export const BUSY_SILENCE_SECONDS = 600;
/** How often such agents are looked for. Source: wire contract §13. */
export const BUSY_SWEEP_EVERY_MS = 300_000;

/** Most removals of one sweep that need no second look. */
const FREE_REMOVALS = 5;
const GUARDED_SHARE = 0.2;

/**
 * True when a sweep would remove so much that the database is more likely wrong than the machine.
 * `removals` leaves out what was deleted by intent. SPEC: G5.
 */
export function isMassRemoval(removals: number, listed: number): boolean {
  return removals > FREE_REMOVALS && removals > listed * GUARDED_SHARE;
}
