import { DEFAULT_BACKOFF_SETTINGS } from "@molecule/domain/backoff";
import type { LifecycleSettings } from "@molecule/domain/decide";
import { DEFAULT_SETTLE_SETTINGS, scaleSettle } from "@molecule/domain/settle";

/** Every time of the restart loop, in ms. */
export interface RestartSettings {
  readonly lifecycle: LifecycleSettings;
  /** The operator's limit for every start; null: what its configuration or runtime says. */
  readonly bootTimeoutMs: number | null;
  /** A creation that keeps failing is given up after this. */
  readonly createTimeoutMs: number;
  /** A stop that keeps failing is told to a person after this, and goes on. */
  readonly stopAlertMs: number;
  /** An instance that does not end is fenced after this, and the next start goes on without it. */
  readonly fenceAfterMs: number;
  readonly leaseMs: number;
  readonly pollMs: number;
  /** Workspaces worked on at the same time. */
  readonly concurrency: number;
  readonly probeEveryMs: number;
  /** Three beats. */
  readonly silentAfterMs: number;
  readonly sweepEveryMs: number;
  /** An instance of an unknown workspace is left alone for this long. */
  readonly orphanGraceMs: number;
  /** Times the wait between repeats of a failing step; below 1 in tests. */
  readonly stepRetryScale: number;
}

/** The times of production multiplied by `scale`; those that a machine needs stay as they are. */
export function restartSettings(given: {
  readonly scale: number;
  readonly bootTimeoutMs: number | null;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly concurrency: number;
}): RestartSettings {
  const { scale } = given;
  const backoff = DEFAULT_BACKOFF_SETTINGS;
  return {
    lifecycle: {
      settle: scaleSettle(DEFAULT_SETTLE_SETTINGS, scale),
      backoff: {
        ...backoff,
        baseMs: backoff.baseMs * scale,
        capMs: backoff.capMs * scale,
        resetAfterMs: backoff.resetAfterMs * scale,
      },
      bootPollMs: Math.max(500 * scale, 50),
      turnPollMs: Math.max(2_000 * scale, 50),
    },
    bootTimeoutMs: given.bootTimeoutMs,
    createTimeoutMs: 180_000,
    stopAlertMs: 600_000,
    fenceAfterMs: Math.max(120_000 * scale, 10_000),
    leaseMs: given.leaseMs,
    pollMs: given.pollMs,
    concurrency: given.concurrency,
    probeEveryMs: Math.max(3_000 * scale, 100),
    // Three beats of the runtime, which beats at its own pace whatever the scale.
    silentAfterMs: 90_000,
    sweepEveryMs: Math.max(30_000 * scale, 250),
    orphanGraceMs: Math.max(60_000 * scale, 1_000),
    stepRetryScale: scale,
  };
}
