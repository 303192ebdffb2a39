const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A duration as a running clock: `0:06`, `12:40`, `1:02:03`. Negative is zero. */
export function formatElapsed(ms: number): string {
  const total = Math.max(0, Math.floor(ms / SECOND_MS));
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const seconds = String(total % 60).padStart(2, "0");
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}`
    : `${minutes}:${seconds}`;
}

/** A duration in words: `8 s`, `3 min`, `2 h`, `4 d`. */
export function formatDuration(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.max(0, Math.round(ms / SECOND_MS))} s`;
  if (ms < HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) return `${Math.round(ms / HOUR_MS)} h`;
  return `${Math.round(ms / DAY_MS)} d`;
}

/** How long ago: `just now`, `3 min ago`. */
export function formatAgo(atMs: number, nowMs: number): string {
  const ms = nowMs - atMs;
  return ms < 45 * SECOND_MS ? "just now" : `${formatDuration(ms)} ago`;
}

/** Up to here a countdown is in seconds. */
const COUNTDOWN_MS = 100 * SECOND_MS;

/** How long until an instant, at least a second: `12 s`, `95 s`, `3 min`. */
export function formatUntil(atMs: number, nowMs: number): string {
  const ms = Math.max(SECOND_MS, Math.ceil((atMs - nowMs) / SECOND_MS) * SECOND_MS);
  return ms < COUNTDOWN_MS ? `${ms / SECOND_MS} s` : formatDuration(ms);
}

/** The time of day in the reader's own way: `12:04`. */
export function formatTime(atMs: number): string {
  return new Date(atMs).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}
