import type { LifecycleFacts } from "./decide.ts";

/**
 * What becomes of a start that lacks a key: `fails` and names the key, `runsOn` with what it runs and
 * names the key, or `attempt`: an attempt is begun and fails, because something has to be ended first.
 */
export type WithoutKeys = "fails" | "runsOn" | "attempt";

/** Answers it from where the workspace is. SPEC: R30, R31. */
export function withoutKeys({ phase, down }: Pick<LifecycleFacts, "phase" | "down">): WithoutKeys {
  switch (phase) {
    case "NEW":
    case "PAUSED":
    case "FAILED":
      return "fails";
    case "READY":
      return down === null ? "runsOn" : "attempt";
    default:
      return "attempt";
  }
}
