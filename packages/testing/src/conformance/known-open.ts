/**
 * What this platform does not do yet, by the beginning of a case's id, and why. Such a case is run and
 * printed as open; a case that passes may not be here (a test says so).
 */
export const KNOWN_OPEN: Readonly<Record<string, string>> = {};

/** Why a case is known to fail; null when it is not. */
export function knownOpen(id: string): string | null {
  const found = Object.entries(KNOWN_OPEN).find(([start]) => id.startsWith(start));
  return found?.[1] ?? null;
}
