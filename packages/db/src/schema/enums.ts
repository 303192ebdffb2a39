import {
  ACTIVITY_STATUSES,
  ACTIVITY_TYPES,
  ACTOR_KINDS,
  APPLY_POLICIES,
  APPROVAL_STATES,
  ATTEMPT_OUTCOMES,
  ATTEMPT_REASONS,
  BACKENDS,
  CHANGE_KINDS,
  DELIVERY_MODES,
  EVENT_TYPES,
  FLEET_ITEM_STATES,
  FLEET_JOB_KINDS,
  FLEET_JOB_STATUSES,
  HEALTHS,
  HOST_KEY_SOURCES,
  INTENTS,
  MACHINE_REACHES,
  MEMBER_ROLES,
  MEMORY_SCOPES,
  OBSERVATION_KINDS,
  ORG_IMPORT_STATES,
  ORG_NODE_OUTCOMES,
  PHASES,
  PROCESS_KINDS,
  QUEUE_STATUSES,
  RESTART_OUTCOMES,
  RESTART_SOURCES,
  RUNTIMES,
  SCHEDULE_CAUSES,
  SCHEDULE_OUTCOMES,
  SCHEDULE_SOURCES,
  SETTLE_STREAMS,
  STAGES,
  SWEEP_HOLD_KINDS,
  SWEEP_HOLD_STATES,
  TALLY_NAMES,
  TOKEN_KINDS,
  WORKSPACE_ACCESSES,
  WORKSPACE_STATUSES,
} from "@molecule/domain/sets";
import { pgEnum } from "drizzle-orm/pg-core";

/** Postgres enums of the domain's closed sets; a test holds each against the migrated database. */
export const activityStatus = pgEnum("activity_status", ACTIVITY_STATUSES);
export const activityType = pgEnum("activity_type", ACTIVITY_TYPES);
export const actorKind = pgEnum("actor_kind", ACTOR_KINDS);
export const applyPolicy = pgEnum("apply_policy", APPLY_POLICIES);
export const approvalState = pgEnum("approval_state", APPROVAL_STATES);
export const attemptOutcome = pgEnum("attempt_outcome", ATTEMPT_OUTCOMES);
export const attemptReason = pgEnum("attempt_reason", ATTEMPT_REASONS);
export const backend = pgEnum("backend", BACKENDS);
export const machineReach = pgEnum("machine_reach", MACHINE_REACHES);
export const changeKind = pgEnum("change_kind", CHANGE_KINDS);
export const deliveryMode = pgEnum("delivery_mode", DELIVERY_MODES);
export const eventType = pgEnum("event_type", EVENT_TYPES);
export const fleetItemState = pgEnum("fleet_item_state", FLEET_ITEM_STATES);
export const fleetJobKind = pgEnum("fleet_job_kind", FLEET_JOB_KINDS);
export const fleetJobStatus = pgEnum("fleet_job_status", FLEET_JOB_STATUSES);
export const health = pgEnum("health", HEALTHS);
export const hostKeySource = pgEnum("host_key_source", HOST_KEY_SOURCES);
export const intent = pgEnum("intent", INTENTS);
export const memberRole = pgEnum("member_role", MEMBER_ROLES);
export const memoryScope = pgEnum("memory_scope", MEMORY_SCOPES);
export const observationKind = pgEnum("observation_kind", OBSERVATION_KINDS);
export const orgImportState = pgEnum("org_import_state", ORG_IMPORT_STATES);
export const orgNodeOutcome = pgEnum("org_node_outcome", ORG_NODE_OUTCOMES);
export const phase = pgEnum("phase", PHASES);
export const processKind = pgEnum("process_kind", PROCESS_KINDS);
export const queueStatus = pgEnum("queue_status", QUEUE_STATUSES);
export const restartOutcome = pgEnum("restart_outcome", RESTART_OUTCOMES);
export const restartSource = pgEnum("restart_source", RESTART_SOURCES);
export const runtime = pgEnum("runtime", RUNTIMES);
export const scheduleCause = pgEnum("schedule_cause", SCHEDULE_CAUSES);
export const scheduleOutcome = pgEnum("schedule_outcome", SCHEDULE_OUTCOMES);
export const scheduleSource = pgEnum("schedule_source", SCHEDULE_SOURCES);
export const settleStream = pgEnum("settle_stream", SETTLE_STREAMS);
export const stage = pgEnum("stage", STAGES);
export const sweepHoldKind = pgEnum("sweep_hold_kind", SWEEP_HOLD_KINDS);
export const sweepHoldState = pgEnum("sweep_hold_state", SWEEP_HOLD_STATES);
export const tallyName = pgEnum("tally_name", TALLY_NAMES);
export const tokenKind = pgEnum("token_kind", TOKEN_KINDS);
export const workspaceAccess = pgEnum("workspace_access", WORKSPACE_ACCESSES);
/** Used by the view `workspace_statuses` alone: no table stores a status. */
export const workspaceStatus = pgEnum("workspace_status", WORKSPACE_STATUSES);
