/** Waiting times between tries. Source: lifecycle A3 (the kubelet's curve). */
export interface BackoffSettings {
  /** Wait after the first failure; doubles with each further one. */
  readonly baseMs: number;
  readonly capMs: number;
  /** A run this long forgets earlier crashes. */
  readonly resetAfterMs: number;
  /** Failed starts of one generation before the platform stops trying. */
  readonly maxBootFailures: number;
}

export const DEFAULT_BACKOFF_SETTINGS: BackoffSettings = {
  baseMs: 10_000,
  capMs: 300_000,
  resetAfterMs: 600_000,
  maxBootFailures: 5,
};

/** The wait after the `failures`-th failure in a row, in ms; `failures` counts from 1. SPEC: B1. */
export function backoffDelayMs(failures: number, settings: BackoffSettings): number {
  const doublings = Math.min(Math.max(failures, 1) - 1, 30);
  return Math.min(settings.baseMs * 2 ** doublings, settings.capMs);
}

/** How often the agent has crashed in a row, this crash included. SPEC: B2. */
export function crashCountAfter(
  before: { readonly crashCount: number; readonly readyAt: Date | null },
  now: Date,
  settings: BackoffSettings,
): number {
  const ranMs = before.readyAt === null ? 0 : now.getTime() - before.readyAt.getTime();
  return ranMs >= settings.resetAfterMs ? 1 : before.crashCount + 1;
}

/** What follows a failed start. `retryAt` is null in FAILED: a write or a click is waited for. */
export interface AfterBootFailure {
  readonly phase: "BACKOFF" | "FAILED";
  readonly bootFailures: number;
  readonly retryAt: Date | null;
}

/**
 * Where a failed start leads. Only failures of one generation are counted together: a write is a new
 * chance. A failure that no retry can heal (a missing key) is final at once. SPEC: B3 to B5, B7.
 */
export function afterBootFailure(
  failed: {
    readonly bootFailures: number;
    readonly isSameGeneration: boolean;
    readonly isRetryable: boolean;
    /** The machine was at fault, not the workspace: tries go on until the machine is well. */
    readonly isMachineFault: boolean;
  },
  now: Date,
  settings: BackoffSettings,
): AfterBootFailure {
  const bootFailures = failed.isSameGeneration ? failed.bootFailures + 1 : 1;
  const isSpent = bootFailures >= settings.maxBootFailures && !failed.isMachineFault;
  if (!failed.isRetryable || isSpent) {
    return { phase: "FAILED", bootFailures, retryAt: null };
  }
  const retryAt = new Date(now.getTime() + backoffDelayMs(bootFailures, settings));
  return { phase: "BACKOFF", bootFailures, retryAt };
}

/**
 * The wait before a step inside an attempt is repeated, in ms: 1, 2, 4, … up to 30 s, read off the time
 * that the step has been failing, so that no counter has to survive a crash. SPEC: B6.
 */
export function stepRetryDelayMs(failingForMs: number): number {
  return Math.min(Math.max(failingForMs, 1_000), 30_000);
}
