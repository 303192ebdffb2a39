import type { Intent, Phase } from "./sets.ts";

/** What a person's "stop trying" is decided from. */
export interface StopFacts {
  readonly intent: Intent;
  readonly phase: Phase;
  /** A click came that no attempt answers for yet. */
  readonly isClicked: boolean;
}

/** `sentence` is for the person who asked. */
export type StopOfTries =
  /** BACKOFF becomes FAILED, without a timer. */
  | { readonly kind: "stop"; readonly sentence: string }
  /** It is as was asked for already. */
  | { readonly kind: "stopped"; readonly sentence: string }
  /** No try is waited for. */
  | { readonly kind: "nothing"; readonly sentence: string };

/** What comes of a person's wish that no further try follows by itself. SPEC: L2. */
export function stopOfTries({ intent, phase, isClicked }: StopFacts): StopOfTries {
  if (intent !== "run") return { kind: "nothing", sentence: "This agent does not run." };
  if (isClicked) {
    return { kind: "nothing", sentence: "Somebody has just asked for a restart, and it begins." };
  }
  if (phase === "BACKOFF") {
    return {
      kind: "stop",
      sentence: "No further try follows. A restart or the next saved change begins one.",
    };
  }
  if (phase === "FAILED") return { kind: "stopped", sentence: "No further try is planned." };
  return { kind: "nothing", sentence: "No try is waited for." };
}
