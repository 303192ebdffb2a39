import type { SweepHoldState } from "./sets.ts";

/** One instance that a sweep would remove, and why. */
export interface HeldRemoval {
  readonly providerId: string;
  readonly workspaceId: string;
  readonly attemptNo: number;
  /** Number of the rule in SPEC.md. */
  readonly rule: string;
}

/** What a question of a sweep is about. */
export type HoldEvidence =
  | {
      readonly kind: "removals";
      readonly removals: readonly HeldRemoval[];
      /** How many instances the backend listed. */
      readonly listed: number;
    }
  | {
      readonly kind: "identity";
      /** The machine that was remembered, and the one that answers now. */
      readonly remembered: string;
      readonly found: string;
      /** How many agents are expected to run there. */
      readonly expected: number;
    };

/** A question that was asked before. */
export interface AskedHold {
  readonly state: SweepHoldState;
  readonly evidence: HoldEvidence;
}

/**
 * What a pass does with what it would need leave for: `allowed`, also for what is left of a set that was
 * confirmed; `wait` for the answer, or because it was no; `ask`, for the first time or anew because there
 * is something in it that was not shown. SPEC: G8.
 */
export function weighHold(
  asked: AskedHold | null,
  wanted: HoldEvidence,
): "allowed" | "wait" | "ask" {
  if (asked === null) return "ask";
  if (asked.state === "confirmed") return isWithin(wanted, asked.evidence) ? "allowed" : "ask";
  return isWithin(wanted, asked.evidence) && isWithin(asked.evidence, wanted) ? "wait" : "ask";
}

function isWithin(part: HoldEvidence, whole: HoldEvidence): boolean {
  if (part.kind === "removals" && whole.kind === "removals") {
    const shown = new Set(whole.removals.map((one) => one.providerId));
    return part.removals.every((one) => shown.has(one.providerId));
  }
  if (part.kind === "identity" && whole.kind === "identity") {
    return part.remembered === whole.remembered && part.found === whole.found;
  }
  return false;
}

/**
 * What it means that an instance is missing from a listing. `found` is the machine that answered in the
 * same pass, null when it did not say; `listsKnown`: the listing has another instance that the database
 * knows. `remember` believes it and keeps the machine's name; `ask` and `doubt` do not believe it. SPEC: G7.
 */
export function weighAbsence(facts: {
  readonly remembered: string | null;
  readonly found: string | null;
  readonly listsKnown: boolean;
}): "believe" | "remember" | "ask" | "doubt" {
  const { remembered, found, listsKnown } = facts;
  if (found === null) return listsKnown ? "believe" : "doubt";
  if (found === remembered) return "believe";
  return listsKnown || remembered === null ? "remember" : "ask";
}
