import type { SettleStream } from "./sets.ts";

/** Quiet times in milliseconds. Source: lifecycle A3; scaled down by tests and the chaos run. */
export interface SettleSettings {
  /** Quiet a stream needs before its first restart. */
  readonly quietMs: Readonly<Record<SettleStream, number>>;
  /** Quiet a stream needs before a second restart; a gap longer than this ends the stream. */
  readonly secondQuietMs: Readonly<Record<SettleStream, number>>;
  /** The first restart of a stream waits no longer than this after its first write. */
  readonly capMs: number;
  /** A second restart of one stream waits no longer than this after its first write. */
  readonly hardLimitMs: number;
  /** A workspace whose policy is `settle` waits at most this long for running turns. */
  readonly turnWaitMs: number;
}

export const DEFAULT_SETTLE_SETTINGS: SettleSettings = {
  quietMs: { files: 15_000, settings: 3_000 },
  secondQuietMs: { files: 30_000, settings: 10_000 },
  capMs: 75_000,
  hardLimitMs: 900_000,
  turnWaitMs: 600_000,
};

/** The same rule at another pace: every time multiplied by `scale`. For tests and chaos runs. */
export function scaleSettle(settings: SettleSettings, scale: number): SettleSettings {
  const both = (times: SettleSettings["quietMs"]) => ({
    files: times.files * scale,
    settings: times.settings * scale,
  });
  return {
    quietMs: both(settings.quietMs),
    secondQuietMs: both(settings.secondQuietMs),
    capMs: settings.capMs * scale,
    hardLimitMs: settings.hardLimitMs * scale,
    turnWaitMs: settings.turnWaitMs * scale,
  };
}

/** What a workspace remembers of unapplied writes. All absent when nothing is pending. */
export interface DirtyState {
  readonly firstDirtyAt: Date | null;
  readonly lastDirtyAt: Date | null;
  readonly stream: SettleStream | null;
  /** Restarts this stream has already caused. */
  readonly streamRestarts: number;
  /** The latest write was a whole save: it needs no quiet of its own. */
  readonly isBatch: boolean;
}

/** One write as the settle rule sees it. */
export interface SettleWrite {
  readonly stream: SettleStream;
  /** The write is complete in itself (a Save from the canvas), so nothing more is waited for. */
  readonly isBatch: boolean;
  readonly at: Date;
}

/**
 * The dirty state after a write. A mixed stream keeps the slower of its two quiet times; a gap longer
 * than the stream's second quiet starts a new stream. SPEC: W1 to W4.
 */
export function dirtyAfterWrite(
  before: DirtyState,
  write: SettleWrite,
  settings: SettleSettings,
): DirtyState {
  const last = before.lastDirtyAt;
  const isSameStream =
    last !== null &&
    before.stream !== null &&
    write.at.getTime() - last.getTime() <= settings.secondQuietMs[before.stream];
  const stream = before.firstDirtyAt !== null && before.stream === "files" ? "files" : write.stream;
  return {
    firstDirtyAt: before.firstDirtyAt ?? write.at,
    lastDirtyAt: write.at,
    stream,
    streamRestarts: isSameStream ? before.streamRestarts : 0,
    isBatch: write.isBatch,
  };
}

/**
 * When the pending writes are due, or null when none is pending. First restart of a stream: quiet
 * since the last write, capped from the first; later ones: the second quiet, under the hard limit.
 * A batch is complete in itself and due at once. SPEC: S1 to S4.
 */
export function settleDueAt(dirty: DirtyState, settings: SettleSettings): Date | null {
  const { firstDirtyAt, lastDirtyAt, stream } = dirty;
  if (firstDirtyAt === null || lastDirtyAt === null || stream === null) return null;
  if (dirty.isBatch) return lastDirtyAt;
  const isFirst = dirty.streamRestarts === 0;
  const quiet = isFirst ? settings.quietMs[stream] : settings.secondQuietMs[stream];
  const limit = isFirst ? settings.capMs : settings.hardLimitMs;
  return new Date(Math.min(lastDirtyAt.getTime() + quiet, firstDirtyAt.getTime() + limit));
}
