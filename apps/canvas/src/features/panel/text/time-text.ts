/** "2.4 s", "48 s", "3 min 5 s", "2 h 4 min": a length of time for a person. */
export function durationText(ms: number): string {
  if (ms < 10_000) return `${trimZero((Math.max(ms, 0) / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60)
    return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "14 s" or "2 min" until an instant; "now" once it is reached. */
export function untilText(iso: string, nowMs: number): string {
  const seconds = Math.ceil((Date.parse(iso) - nowMs) / 1000);
  if (seconds <= 0) return "now";
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** The whole instant, for a tooltip. */
export function fullTimeText(iso: string): string {
  return new Date(iso).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}

/** "Today", "Yesterday" or "12 November" in the reader's time zone. */
export function dayText(iso: string, nowMs: number): string {
  const day = dayKey(iso);
  if (day === dayKey(new Date(nowMs).toISOString())) return "Today";
  if (day === dayKey(new Date(nowMs - 86_400_000).toISOString())) return "Yesterday";
  const isThisYear = new Date(iso).getFullYear() === new Date(nowMs).getFullYear();
  return new Date(iso).toLocaleDateString("en-GB", {
    day: "numeric",
    month: "long",
    ...(isThisYear ? {} : { year: "numeric" }),
  });
}

/** The local date of an instant; equal for two instants of one day. */
export function dayKey(iso: string): string {
  return new Date(iso).toLocaleDateString("sv-SE");
}

const trimZero = (text: string) => text.replace(/\.0$/, "");
