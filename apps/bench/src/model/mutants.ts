/** One wrong variant of the reconciler that looks plausible, and what it breaks. */
export interface Mutant {
  readonly id: string;
  /** What it does instead. */
  readonly does: string;
  /** The rule of `packages/domain/SPEC.md` that it breaks. */
  readonly breaks: string;
}

/**
 * The wrong variants of lifecycle A1, each a switch of the model. M5 is given in the form that hurts
 * our sweep, which compares numbers: it reads first and removes whatever is not what it read.
 */
export const MUTANTS = [
  { id: "M1", does: "reads the content before the generation", breaks: "R5" },
  { id: "M2", does: "marks all that is desired applied when ready", breaks: "W9" },
  { id: "M3", does: "does not fence a worker's writes", breaks: "R5" },
  { id: "M4", does: "stops by workspace, not by older attempt", breaks: "R5" },
  { id: "M5", does: "sweeps with the database read before the listing", breaks: "G1" },
  { id: "M6", does: "revokes tokens by workspace", breaks: "R12" },
  { id: "M7", does: "lets a probe restart in any phase", breaks: "R20" },
  { id: "M8", does: "merges a click into an attempt that has its snapshot", breaks: "R8" },
  { id: "M9", does: "raises the generation before the data, in two transactions", breaks: "W5" },
  { id: "M10", does: "creates without an idempotency key", breaks: "R6" },
  { id: "M11", does: "never sweeps", breaks: "G2" },
  { id: "M12", does: "matches a beat by workspace, not by attempt", breaks: "R12" },
  { id: "M13", does: "never lets a lease end", breaks: "R23" },
  { id: "M14", does: "drops writes while a restart is in flight", breaks: "W5" },
  { id: "M15", does: "boots without a deadline", breaks: "R11" },
  { id: "M16", does: "works without a lease and trusts its memory", breaks: "R5" },
  { id: "M19", does: "stops the tries and leaves the timer of what is pending", breaks: "L1" },
  {
    id: "M20",
    does: "goes on after a resume with what a pause may have half stopped",
    breaks: "R29",
  },
] as const satisfies readonly Mutant[];
export type MutantId = (typeof MUTANTS)[number]["id"];
