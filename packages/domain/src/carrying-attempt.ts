import type { ApplyPolicy, Backend, Intent, Phase } from "./sets.ts";

/** What decides which start brings a saved change to the agent. */
export interface ApplyFacts {
  readonly phase: Phase;
  readonly intent: Intent;
  readonly backend: Backend;
  readonly currentAttempt: number;
  /** How what is pending is applied: as it was saved, else as the workspace does. */
  readonly policy: ApplyPolicy;
}

/**
 * The number of the attempt that will carry what is saved now; null while none is planned: it rests, it
 * runs elsewhere, or the change is held. SPEC: CF3.
 */
export function carryingAttempt(facts: ApplyFacts): number | null {
  const { phase, intent, backend, currentAttempt, policy } = facts;
  if (backend === "external" || intent !== "run") return null;
  switch (phase) {
    case "STOPPING":
      // Its snapshot is still to be taken, and takes everything.
      return currentAttempt;
    case "NEW":
    case "BACKOFF":
    case "PAUSED":
      return currentAttempt + 1;
    case "CREATING":
    case "BOOTING":
    case "READY":
    case "FAILED":
      return policy === "hold" ? null : currentAttempt + 1;
    case "DELETING":
    case "DELETED":
      return null;
  }
}
