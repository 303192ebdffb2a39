/**
 * Every closed set the platform knows, once. The database mirrors each of them as an enum and a test
 * compares both ways, so a member added here without a migration does not pass.
 */

/** What a client sees of a workspace. Derived by `statusOf`, never stored. Source: wire contract §3.1. */
export const WORKSPACE_STATUSES = [
  "provisioning",
  "online",
  "degraded",
  "offline",
  "failed",
  "paused",
  "hibernating",
  "hibernated",
  "awaiting_agent",
  "removed",
] as const;
export type WorkspaceStatus = (typeof WORKSPACE_STATUSES)[number];

/** What the owner wants of a workspace. */
export const INTENTS = ["run", "paused", "hibernated", "deleted"] as const;
export type Intent = (typeof INTENTS)[number];

/** Where the reconciler is with a workspace. */
export const PHASES = [
  "NEW",
  "STOPPING",
  "CREATING",
  "BOOTING",
  "READY",
  "BACKOFF",
  "FAILED",
  "PAUSED",
  "DELETING",
  "DELETED",
] as const;
export type Phase = (typeof PHASES)[number];

/** Phases in which an attempt is under way and a deadline runs. */
export const OPEN_PHASES = ["STOPPING", "CREATING", "BOOTING"] as const satisfies readonly Phase[];

/** How a READY workspace is doing, from what its agent reports. */
export const HEALTHS = ["ok", "degraded", "suspected_down"] as const;
export type Health = (typeof HEALTHS)[number];

/** Where a workspace runs. */
export const BACKENDS = ["process", "docker", "ec2", "control-plane", "external"] as const;
export type Backend = (typeof BACKENDS)[number];

/** What runs in a workspace. */
export const RUNTIMES = ["demo", "claude-code", "external"] as const;
export type Runtime = (typeof RUNTIMES)[number];
/** The runtime of a create call that names none. Source: wire contract §3.4. */
export const DEFAULT_RUNTIME: Runtime = "claude-code";

/** When a saved change reaches the running agent. */
export const APPLY_POLICIES = ["settle", "idle", "hold"] as const;
export type ApplyPolicy = (typeof APPLY_POLICIES)[number];

/** Why an attempt began. Source: lifecycle A5. */
export const ATTEMPT_REASONS = [
  "create",
  "user",
  "files",
  "settings",
  "secret",
  "plugin",
  "image",
  "redeploy",
  "template",
  "resume",
  "wake",
  "schedule",
  "crash",
  "oom",
  "unhealthy",
  "boot_retry",
  "host_moved",
  "platform_upgrade",
] as const;
export type AttemptReason = (typeof ATTEMPT_REASONS)[number];

/** Stages of an open attempt, in order. Shown on the card with elapsed time. */
export const STAGES = [
  "queued",
  "stopping",
  "preparing",
  "creating",
  "booting",
  "first_heartbeat",
] as const;
export type Stage = (typeof STAGES)[number];

/** How an attempt ended; absent while it is open. `ready` ends the opening, not the run. */
export const ATTEMPT_OUTCOMES = [
  "ready",
  "superseded",
  "boot_timeout",
  "boot_failed",
  "create_failed",
  "aborted",
] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** What a write changed; one row per write feeds the reason of the attempt that carries it. */
export const CHANGE_KINDS = [
  "file",
  "setting",
  "secret",
  "plugin",
  "template",
  "image",
  "redeploy",
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** The two settle streams: their quiet times differ. */
export const SETTLE_STREAMS = ["files", "settings"] as const;
export type SettleStream = (typeof SETTLE_STREAMS)[number];

/** Who did something. */
export const ACTOR_KINDS = ["member", "workspace", "platform", "admin"] as const;
export type ActorKind = (typeof ACTOR_KINDS)[number];
/** `id` is absent for the platform and for the admin token; `name` is what a person reads. */
export interface Actor {
  readonly kind: ActorKind;
  readonly id?: string | undefined;
  readonly name: string;
}
/** The actor of everything the platform does by itself. */
export const PLATFORM_ACTOR: Actor = { kind: "platform", name: "Molecule" };

export const MEMBER_ROLES = ["owner", "editor", "viewer"] as const;
export type MemberRole = (typeof MEMBER_ROLES)[number];

/** `attempt` tokens speak for one attempt; `external` and `minted` ones for the workspace. */
export const TOKEN_KINDS = ["attempt", "external", "minted"] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/** How the platform speaks to a machine: at its private address, or through its SSH connection. */
export const MACHINE_REACHES = ["private", "tunnel"] as const;
export type MachineReach = (typeof MACHINE_REACHES)[number];

/** What a probe saw; bound to an attempt, never an action by itself. */
export const OBSERVATION_KINDS = ["exited", "gone", "unreachable", "missed_heartbeat"] as const;
export type ObservationKind = (typeof OBSERVATION_KINDS)[number];

/** Activity rows. The first seven may be posted by a runtime (contract §8.2); the rest are ours. */
export const POSTABLE_ACTIVITY_TYPES = [
  "a2a_send",
  "a2a_receive",
  "task_update",
  "agent_log",
  "skill_promotion",
  "memory_write",
  "error",
] as const;
export const ACTIVITY_TYPES = [
  ...POSTABLE_ACTIVITY_TYPES,
  "delegation",
  "cron_run",
  "memory_write_global",
  "lifecycle",
  "change",
] as const;
export type ActivityType = (typeof ACTIVITY_TYPES)[number];

/** `pending` is a message whose answer has not come; `queued` waits for its target. */
export const ACTIVITY_STATUSES = ["ok", "error", "pending", "queued"] as const;
export type ActivityStatus = (typeof ACTIVITY_STATUSES)[number];

/** A2A queue items. Source: wire contract §6.7. */
export const QUEUE_STATUSES = ["queued", "dispatched", "completed", "dropped", "failed"] as const;
export type QueueStatus = (typeof QUEUE_STATUSES)[number];

export const DELIVERY_MODES = ["push", "poll"] as const;
export type DeliveryMode = (typeof DELIVERY_MODES)[number];

export const WORKSPACE_ACCESSES = ["none", "read_only", "read_write"] as const;
export type WorkspaceAccess = (typeof WORKSPACE_ACCESSES)[number];

/** Who reads a memory. Source: wire contract §20. */
export const MEMORY_SCOPES = ["LOCAL", "TEAM", "GLOBAL"] as const;
export type MemoryScope = (typeof MEMORY_SCOPES)[number];

/** What became of something that an agent asked a person for. Source: wire contract §20. */
export const APPROVAL_STATES = ["pending", "approved", "denied"] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

/** The four roots of the Files API; only `/configs` is managed. Source: wire contract §9.4. */
export const FILE_ROOTS = ["/configs", "/workspace", "/home", "/plugins"] as const;
export type FileRoot = (typeof FILE_ROOTS)[number];

/** Names of the events on the log and on the live-only channel. Source: wire contract §16.3. */
export const EVENT_TYPES = [
  "WORKSPACE_PROVISIONING",
  "WORKSPACE_ONLINE",
  "WORKSPACE_OFFLINE",
  "WORKSPACE_DEGRADED",
  "WORKSPACE_PROVISION_FAILED",
  "WORKSPACE_AWAITING_AGENT",
  "WORKSPACE_PAUSED",
  "WORKSPACE_HIBERNATED",
  "WORKSPACE_REMOVED",
  "WORKSPACE_UPDATED",
  "WORKSPACE_STAGE",
  "WORKSPACE_PENDING_CHANGE",
  "WORKSPACE_AUTO_RESTART_FIRED",
  "WORKSPACE_RESTARTING_MID_WRITE",
  "WORKSPACE_HEARTBEAT",
  "AGENT_CARD_UPDATED",
  "TASK_UPDATED",
  "ACTIVITY_LOGGED",
  "AGENT_MESSAGE",
  "A2A_RESPONSE",
  "DELEGATION_SENT",
  "DELEGATION_STATUS",
  "DELEGATION_COMPLETE",
  "DELEGATION_FAILED",
  "LAYOUT_UPDATED",
  "SWEEP_ACTED",
  "SCHEDULE_UPDATED",
  "CRON_EXECUTED",
  "CRON_SKIPPED",
  "APPROVAL_REQUESTED",
  "APPROVAL_APPROVED",
  "APPROVAL_DENIED",
  "ORG_IMPORT_UPDATED",
  "BOOT_TOKEN_REFUSED",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** What a sweep did or asked; the `action` of SWEEP_ACTED, and its label in the metrics. */
export const SWEEP_ACTIONS = [
  "instance_removed",
  "instance_fenced",
  "token_revoked",
  "timer_restored",
  "busy_cleared",
  "hold_opened",
  "hold_decided",
] as const;
export type SweepAction = (typeof SWEEP_ACTIONS)[number];

/** What a sweep stops and asks about: too many removals at once, or another engine than before. */
export const SWEEP_HOLD_KINDS = ["removals", "identity"] as const;
export type SweepHoldKind = (typeof SWEEP_HOLD_KINDS)[number];

/** What became of the question. */
export const SWEEP_HOLD_STATES = ["open", "confirmed", "dismissed"] as const;
export type SweepHoldState = (typeof SWEEP_HOLD_STATES)[number];

/** What asked for a restart; an attempt's own request is named after its reason. */
export const RESTART_SOURCES = [
  "create",
  "write",
  "click",
  "template",
  "image",
  "redeploy",
  "resume",
  "wake",
  "schedule",
  "dead_container",
  "liveness",
  "retry",
  "platform",
] as const;
export type RestartSource = (typeof RESTART_SOURCES)[number];

/**
 * What came of it: an attempt of its own, a part of another one, a note (a probe never restarts what is
 * being restarted), or nothing, because nothing was to be done.
 */
export const RESTART_OUTCOMES = ["began", "merged", "observed", "skipped"] as const;
export type RestartOutcome = (typeof RESTART_OUTCOMES)[number];

/** What is counted for the metrics, whichever process did it. */
export const TALLY_NAMES = ["restart_requests", "attempts", "sweep_actions", "tunnels"] as const;
export type TallyName = (typeof TALLY_NAMES)[number];

/** Work over many workspaces, one of each kind at a time. */
export const FLEET_JOB_KINDS = ["image_refresh", "redeploy"] as const;
export type FleetJobKind = (typeof FLEET_JOB_KINDS)[number];

/** `failed` may be gone on with, as `stopped` may. */
export const FLEET_JOB_STATUSES = ["running", "done", "failed", "stopped"] as const;
export type FleetJobStatus = (typeof FLEET_JOB_STATUSES)[number];

/** Where one workspace of a redeployment is: `back` is online again, `lost` did not come back. */
export const FLEET_ITEM_STATES = ["waiting", "asked", "back", "lost", "skipped"] as const;
export type FleetItemState = (typeof FLEET_ITEM_STATES)[number];

/** What a run of a schedule came to; also the schedule's `last_status`. Source: wire contract §13. */
export const SCHEDULE_OUTCOMES = ["ok", "error", "skipped", "stale"] as const;
export type ScheduleOutcome = (typeof SCHEDULE_OUTCOMES)[number];

/** Where a schedule comes from: its template, or somebody at run time. Source: wire contract §13. */
export const SCHEDULE_SOURCES = ["template", "runtime"] as const;
export type ScheduleSource = (typeof SCHEDULE_SOURCES)[number];

/** Why a run began: its time came, it stands for times that were missed, or somebody asked for it. */
export const SCHEDULE_CAUSES = ["due", "catch_up", "manual"] as const;
export type ScheduleCause = (typeof SCHEDULE_CAUSES)[number];

/** What an import does about one agent of a team. */
export const ORG_NODE_ACTIONS = ["create", "exists", "left_out"] as const;
export type OrgNodeAction = (typeof ORG_NODE_ACTIONS)[number];

/** Whether an agent of a team starts by its import: it may lack a key, be made at rest, or run elsewhere. */
export const ORG_NODE_STARTS = ["now", "lacks_key", "staged", "elsewhere", "no"] as const;
export type OrgNodeStart = (typeof ORG_NODE_STARTS)[number];

/** `stopped`: whoever made it ended in the middle; what is not made is named. */
export const ORG_IMPORT_STATES = ["making", "starting", "done", "stopped"] as const;
export type OrgImportState = (typeof ORG_IMPORT_STATES)[number];

/** What became of one agent of a team; `planned` while its turn to be made has not come. */
export const ORG_NODE_OUTCOMES = [
  "planned",
  "created",
  "exists",
  "left_out",
  "failed",
  "not_made",
] as const;
export type OrgNodeOutcome = (typeof ORG_NODE_OUTCOMES)[number];

/** Processes of the platform whose loops are watched. Source: wire contract §17, `/admin/liveness`. */
export const PROCESS_KINDS = ["server", "worker"] as const;
export type ProcessKind = (typeof PROCESS_KINDS)[number];

/** Why a connection to a machine cannot be made or is over. Source: design of the tunnels, failure matrix. */
export const TUNNEL_FAULTS = [
  "api-rejected",
  "api-throttled",
  "api-unreachable",
  "ws-rejected",
  "ws-unreachable",
  "target-unreachable",
  "ws-closed",
  "ssh-handshake",
  "host-key-mismatch",
  "auth-failed",
  "handshake-timeout",
  "keepalive-timeout",
  "peer-closed",
  "protocol",
  "pool-full",
  "pool-closed",
] as const;
export type TunnelFault = (typeof TUNNEL_FAULTS)[number];

/** Why one file could not be read or written, while its connection is well. */
export const FILE_FAULTS = [
  "not-found",
  "permission",
  "no-space",
  "not-a-file",
  "failure",
  "unsupported",
  "bad-message",
] as const;
export type FileFault = (typeof FILE_FAULTS)[number];

/** How the key of a machine became known, the surest first. */
export const HOST_KEY_SOURCES = ["provisioning", "console", "first_use"] as const;
export type HostKeySource = (typeof HOST_KEY_SOURCES)[number];

/** What the pool of connections counts for ever. */
export const TUNNEL_COUNTS = [
  "handshakes",
  "failed_handshakes",
  "evictions",
  "renewals",
  "replays",
  "idle_closes",
  "waits",
  "wait_ms",
] as const;
export type TunnelCount = (typeof TUNNEL_COUNTS)[number];
