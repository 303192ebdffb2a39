/** What to do after a look at a registry. */
export type WatchVerdict = "nothing" | "remember" | "refresh";

/**
 * `seen` is null when the registry did not answer, `remembered` before the first look. What a refresh
 * could not follow is never remembered, so the next look comes to the same. SPEC: I11.
 */
export function watchVerdict(remembered: string | null, seen: string | null): WatchVerdict {
  if (seen === null || seen === remembered) return "nothing";
  return remembered === null ? "remember" : "refresh";
}
