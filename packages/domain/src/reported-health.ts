import type { Health } from "./sets.ts";

/** Error rate from which an agent counts as degraded, and below which it has recovered. Source: §3.1. */
export const DEGRADED_FROM_ERROR_RATE = 0.5;
export const RECOVERED_BELOW_ERROR_RATE = 0.1;
/** The `runtime_state` of an agent that cannot go on by itself. */
export const WEDGED = "wedged";

/** What an agent reports of itself, after absent fields were filled with the last known values. */
export interface ReportedHealth {
  readonly errorRate: number;
  readonly runtimeState: string;
  /** The runtime manages its own status: its error rate neither degrades nor recovers it. */
  readonly managesStatus: boolean;
}

/**
 * The health after a beat. Between the two limits it stays as it is; a beat ends a suspicion that the
 * instance is down, because it came from it. `isInOutage`: what it runs on is known to be away, and the
 * platform cannot reach the agent, though the agent reaches the platform. SPEC: H1 to H6.
 */
export function healthAfterBeat(
  before: Health,
  reported: ReportedHealth,
  isInOutage = false,
): Health {
  if (isInOutage && before === "suspected_down") return before;
  if (reported.runtimeState === WEDGED) return "degraded";
  const alive = before === "suspected_down" ? "ok" : before;
  if (reported.managesStatus) return alive;
  if (reported.errorRate >= DEGRADED_FROM_ERROR_RATE) return "degraded";
  if (reported.errorRate < RECOVERED_BELOW_ERROR_RATE && reported.runtimeState === "") return "ok";
  return alive;
}
