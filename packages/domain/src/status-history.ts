import type { EventType, WorkspaceStatus } from "./sets.ts";

/** The events that tell a change of status. */
export const STATUS_EVENTS = [
  "WORKSPACE_PROVISIONING",
  "WORKSPACE_ONLINE",
  "WORKSPACE_OFFLINE",
  "WORKSPACE_DEGRADED",
  "WORKSPACE_PROVISION_FAILED",
  "WORKSPACE_AWAITING_AGENT",
  "WORKSPACE_PAUSED",
  "WORKSPACE_HIBERNATED",
] as const satisfies readonly EventType[];
export type StatusEvent = (typeof STATUS_EVENTS)[number];

/** One of those events; `willRetry` says of a failed start that another try follows by itself. */
export interface StatusChange {
  readonly event: StatusEvent;
  readonly willRetry: boolean;
  readonly at: Date;
}

const STATUSES: Readonly<Record<StatusEvent, WorkspaceStatus>> = {
  WORKSPACE_PROVISIONING: "provisioning",
  WORKSPACE_ONLINE: "online",
  WORKSPACE_OFFLINE: "offline",
  WORKSPACE_DEGRADED: "degraded",
  WORKSPACE_PROVISION_FAILED: "failed",
  WORKSPACE_AWAITING_AGENT: "awaiting_agent",
  WORKSPACE_PAUSED: "paused",
  WORKSPACE_HIBERNATED: "hibernated",
};

/** The status that an event tells. SPEC: L7. */
export function statusAfter({ event, willRetry }: Omit<StatusChange, "at">): WorkspaceStatus {
  return event === "WORKSPACE_PROVISION_FAILED" && willRetry ? "offline" : STATUSES[event];
}

/** A time in one status; null where nothing is known. */
export interface StatusSpan {
  readonly status: WorkspaceStatus | null;
  readonly from: Date;
  readonly to: Date;
}

/** What a history is made from. */
export interface StatusPast {
  readonly from: Date;
  readonly to: Date;
  /** The status at `from`; null when nothing is known of that time. */
  readonly before: WorkspaceStatus | null;
  /** Between `from` and `to`, oldest first. */
  readonly changes: readonly StatusChange[];
  /** The status now. */
  readonly present: WorkspaceStatus;
}

/**
 * The statuses of a time as spans: oldest first, without gaps, neighbours differ, and the last one is
 * the present one. SPEC: L7.
 */
export function statusSpans(past: StatusPast): readonly StatusSpan[] {
  const isQuiet = past.before === null && past.changes.length === 0;
  const marks = [
    { status: isQuiet ? past.present : past.before, at: past.from },
    ...past.changes.map((change) => ({ status: statusAfter(change), at: change.at })),
    { status: past.present, at: past.to },
  ];
  const differing = marks.filter((mark, index) => mark.status !== marks[index - 1]?.status);
  return differing.map(({ status, at }, index) => ({
    status,
    from: at,
    to: differing[index + 1]?.at ?? past.to,
  }));
}
