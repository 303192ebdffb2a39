import type { ShownMemory } from "@molecule/contracts/shown-memories";

/** Whom it is for. Source: SPEC ME1 to ME3. */
export const SCOPE_WORDS: Record<ShownMemory["scope"], string> = {
  LOCAL: "for itself",
  TEAM: "for its team",
  GLOBAL: "for everybody below it",
};

/** The beginning of a memory on one line, for what is said about it. */
export function memoryTitle(content: string): string {
  const line = content.replace(/\s+/g, " ").trim();
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
