import type { Backend, Health, Intent, Phase, WorkspaceStatus } from "./sets.ts";

/** The facts a status is derived from. */
export interface StatusFacts {
  readonly intent: Intent;
  readonly phase: Phase;
  readonly health: Health;
  readonly backend: Backend;
  /** For external workspaces: a heartbeat came within the last 90 s. Ignored for all others. */
  readonly isBeating: boolean;
}

/** Seconds of silence after which an external workspace is waited for. Source: wire contract §5.4. */
export const EXTERNAL_STALE_AFTER_SECONDS = 90;

/**
 * The status of a workspace. Total over every combination of facts; mirrored by the SQL view
 * `workspace_statuses`, and a test holds the two against each other. SPEC: ST1 to ST8.
 */
export function statusOf(facts: StatusFacts): WorkspaceStatus {
  if (facts.intent === "deleted") return "removed";
  if (facts.intent === "paused") return "paused";
  if (facts.intent === "hibernated") return facts.phase === "PAUSED" ? "hibernated" : "hibernating";
  if (facts.backend === "external") return externalStatus(facts);
  switch (facts.phase) {
    case "NEW":
    case "STOPPING":
    case "CREATING":
    case "BOOTING":
    case "PAUSED":
      return "provisioning";
    case "READY":
      return readyStatus(facts.health);
    case "BACKOFF":
      return "offline";
    case "FAILED":
      return "failed";
    case "DELETING":
    case "DELETED":
      return "removed";
  }
}

function externalStatus(facts: StatusFacts): WorkspaceStatus {
  // Told to be silent although its last beat is young: what it beat with was taken from it.
  if (!facts.isBeating || facts.health === "suspected_down") return "awaiting_agent";
  return facts.health === "ok" ? "online" : "degraded";
}

function readyStatus(health: Health): WorkspaceStatus {
  switch (health) {
    case "ok":
      return "online";
    case "degraded":
      return "degraded";
    case "suspected_down":
      return "offline";
  }
}
