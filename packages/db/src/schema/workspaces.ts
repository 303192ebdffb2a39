import type { PublicFailure } from "@molecule/domain/errors";
import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  doublePrecision,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { bytea, counter, instant, now } from "./columns.ts";
import {
  actorKind,
  applyPolicy,
  attemptOutcome,
  attemptReason,
  backend,
  changeKind,
  deliveryMode,
  health,
  intent,
  machineReach,
  observationKind,
  phase,
  runtime,
  settleStream,
  stage,
  tokenKind,
  workspaceAccess,
} from "./enums.ts";
import type { AttemptDetail, StageMark, WorkspaceConfig } from "./payloads.ts";

/** Desired state and the reconciler's position. Status is the view `workspace_statuses`. */
export const workspaces = pgTable(
  "workspaces",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    name: text("name").notNull(),
    role: text("role"),
    tier: integer("tier").notNull().default(3),
    runtime: runtime("runtime").notNull(),
    backend: backend("backend").notNull(),
    template: text("template"),
    parentId: uuid("parent_id"),
    config: jsonb("config").$type<WorkspaceConfig>().notNull(),
    configVersion: counter("config_version").notNull().default(1),
    intent: intent("intent").notNull().default("run"),
    intentActorName: text("intent_actor_name"),
    intentAt: instant("intent_at").notNull().default(now),
    /** Why it starts when it rests and shall run again: `resume`, or `wake` by a message. */
    startReason: attemptReason("start_reason").notNull().default("resume"),
    /** The next start gets new folders. Cleared with the snapshot that starts on them. */
    resetWanted: boolean("reset_wanted").notNull().default(false),
    /** The next start takes nothing over that the agent wrote into `/configs`. */
    rebuildWanted: boolean("rebuild_wanted").notNull().default(false),
    applyPolicy: applyPolicy("apply_policy").notNull().default("settle"),
    /** How what is saved now and not applied yet shall be applied; absent: as `apply_policy` says. */
    pendingPolicy: applyPolicy("pending_policy"),
    /** Minutes without work after which it is put to sleep; absent: never by itself. */
    hibernationIdleMinutes: integer("hibernation_idle_minutes"),
    phase: phase("phase").notNull().default("NEW"),
    health: health("health").notNull().default("ok"),
    desiredGen: counter("desired_gen").notNull().default(1),
    appliedGen: counter("applied_gen").notNull().default(0),
    forceSeq: counter("force_seq").notNull().default(0),
    appliedForce: counter("applied_force").notNull().default(0),
    /** Up to which generation, and which click, the ledger says what came of each. */
    toldGen: counter("told_gen").notNull().default(1),
    toldForce: counter("told_force").notNull().default(0),
    /** Who pressed the latest restart; the actor of the attempt it causes. */
    forceActorKind: actorKind("force_actor_kind"),
    forceActorId: text("force_actor_id"),
    forceActorName: text("force_actor_name"),
    currentAttempt: counter("current_attempt").notNull().default(0),
    firstDirtyAt: instant("first_dirty_at"),
    lastDirtyAt: instant("last_dirty_at"),
    dirtyStream: settleStream("dirty_stream"),
    dirtyIsBatch: boolean("dirty_is_batch").notNull().default(false),
    streamRestarts: integer("stream_restarts").notNull().default(0),
    crashCount: integer("crash_count").notNull().default(0),
    bootFailures: integer("boot_failures").notNull().default(0),
    failure: jsonb("failure").$type<PublicFailure>(),
    readyAt: instant("ready_at"),
    nextActionAt: instant("next_action_at"),
    deadlineAt: instant("deadline_at"),
    leaseOwner: text("lease_owner"),
    leaseEpoch: counter("lease_epoch").notNull().default(0),
    leaseUntil: instant("lease_until"),
    agentCard: jsonb("agent_card").$type<Record<string, unknown>>(),
    advertisedUrl: text("advertised_url").notNull().default(""),
    deliveryMode: deliveryMode("delivery_mode").notNull().default("push"),
    inboundSecret: bytea("inbound_secret"),
    maxConcurrentTasks: integer("max_concurrent_tasks").notNull().default(1),
    budgetLimit: integer("budget_limit"),
    monthlySpend: integer("monthly_spend").notNull().default(0),
    workspaceDir: text("workspace_dir"),
    workspaceAccess: workspaceAccess("workspace_access").notNull().default("none"),
    lastOutboundAt: instant("last_outbound_at"),
    createdAt: instant("created_at").notNull().default(now),
    updatedAt: instant("updated_at").notNull().default(now),
    removedAt: instant("removed_at"),
  },
  (t) => [
    foreignKey({ columns: [t.parentId], foreignColumns: [t.id] }).onDelete("set null"),
    check("applied_gen_within_desired", sql`${t.appliedGen} <= ${t.desiredGen}`),
    check("applied_force_within_seq", sql`${t.appliedForce} <= ${t.forceSeq}`),
    check(
      "open_phase_has_deadline",
      sql`${t.phase} NOT IN ('STOPPING','CREATING','BOOTING','DELETING') OR ${t.deadlineAt} IS NOT NULL`,
    ),
    check("deleted_by_intent", sql`${t.phase} <> 'DELETED' OR ${t.intent} = 'deleted'`),
    check("not_own_parent", sql`${t.parentId} IS NULL OR ${t.parentId} <> ${t.id}`),
    check(
      "hibernation_idle_positive",
      sql`${t.hibernationIdleMinutes} IS NULL OR ${t.hibernationIdleMinutes} > 0`,
    ),
    check("name_not_empty", sql`length(${t.name}) BETWEEN 1 AND 255`),
    index("workspaces_due").on(t.nextActionAt).where(sql`${t.nextActionAt} IS NOT NULL`),
    index("workspaces_parent").on(t.parentId),
  ],
);

const workspaceId = () =>
  uuid("workspace_id")
    .notNull()
    .references(() => workspaces.id, { onDelete: "cascade" });

/** One try to run one snapshot. The row is committed before any backend call. */
export const attempts = pgTable(
  "attempts",
  {
    workspaceId: workspaceId(),
    no: counter("no").notNull(),
    reason: attemptReason("reason").notNull(),
    detail: jsonb("detail").$type<AttemptDetail>().notNull(),
    actorKind: actorKind("actor_kind").notNull(),
    actorId: text("actor_id"),
    actorName: text("actor_name").notNull(),
    leaseEpoch: counter("lease_epoch").notNull(),
    createToken: uuid("create_token").notNull().unique().defaultRandom(),
    snapGen: counter("snap_gen"),
    snapForce: counter("snap_force"),
    snapDigest: text("snap_digest"),
    /** What the agent of this attempt was started with: the `effective` half of the configuration. */
    snapConfig: jsonb("snap_config").$type<WorkspaceConfig>(),
    /** Names of the secrets it was started with; absent before the snapshot. */
    snapEnvKeys: text("snap_env_keys").array(),
    providerRef: text("provider_ref"),
    /** host:port the platform dials for this attempt; never what an agent registered. */
    providerAddr: text("provider_addr"),
    stage: stage("stage"),
    stages: jsonb("stages").$type<StageMark[]>().notNull().default([]),
    expectedMs: integer("expected_ms"),
    registeredAt: instant("registered_at"),
    /** Since when the agent knows what this start changed. Absent: it is still to be told. */
    restartContextAt: instant("restart_context_at"),
    outcome: attemptOutcome("outcome"),
    failure: jsonb("failure").$type<PublicFailure>(),
    logExcerpt: text("log_excerpt"),
    createdAt: instant("created_at").notNull().default(now),
    readyAt: instant("ready_at"),
    endedAt: instant("ended_at"),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.no] }),
    uniqueIndex("one_open_attempt").on(t.workspaceId).where(sql`${t.outcome} IS NULL`),
    index("attempts_ready").on(t.readyAt).where(sql`${t.outcome} = 'ready'`),
    check(
      "ended_with_outcome",
      sql`(${t.outcome} IS NULL) = (${t.readyAt} IS NULL AND ${t.endedAt} IS NULL)`,
    ),
  ],
);

/** What a backend made. A restart in place keeps the row and advances `current_attempt`. */
export const machines = pgTable(
  "machines",
  {
    providerId: text("provider_id").primaryKey(),
    workspaceId: workspaceId(),
    backend: backend("backend").notNull(),
    firstAttempt: counter("first_attempt").notNull(),
    currentAttempt: counter("current_attempt").notNull(),
    fence: counter("fence").notNull(),
    createdAt: instant("created_at").notNull().default(now),
    removingAt: instant("removing_at"),
    /** It did not end: its token and its network were taken, and only its removal is outstanding. */
    fencedAt: instant("fenced_at"),
    removedAt: instant("removed_at"),
    /** Public SSH key of the machine, as it told on its first boot; another one is never taken for it. */
    hostKey: text("host_key"),
    /** How it is spoken to; absent before its agent has registered, and where there is no choice. */
    reach: machineReach("reach"),
  },
  (t) => [
    index("machines_workspace").on(t.workspaceId),
    check("machine_attempts_ordered", sql`${t.firstAttempt} <= ${t.currentAttempt}`),
  ],
);

/** Bearers of workspaces. Only the SHA-256 is stored. */
export const workspaceTokens = pgTable(
  "workspace_tokens",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    workspaceId: workspaceId(),
    attemptNo: counter("attempt_no"),
    kind: tokenKind("kind").notNull(),
    tokenSha256: bytea("token_sha256").notNull().unique(),
    prefix: text("prefix").notNull(),
    createdAt: instant("created_at").notNull().default(now),
    lastUsedAt: instant("last_used_at"),
    revokedAt: instant("revoked_at"),
  },
  (t) => [
    check("token_is_digest", sql`octet_length(${t.tokenSha256}) = 32`),
    check("attempt_token_has_attempt", sql`(${t.kind} = 'attempt') = (${t.attemptNo} IS NOT NULL)`),
    uniqueIndex("one_live_attempt_token")
      .on(t.workspaceId, t.attemptNo)
      .where(sql`${t.kind} = 'attempt' AND ${t.revokedAt} IS NULL`),
  ],
);

/**
 * One-use tokens that a booting machine exchanges for its attempt's token. Only the SHA-256 is stored.
 * What was used or is over stays until the purge, so that a second use is recognised.
 */
export const bootTokens = pgTable(
  "boot_tokens",
  {
    workspaceId: workspaceId(),
    attemptNo: counter("attempt_no").notNull(),
    tokenSha256: bytea("token_sha256").notNull().unique(),
    issuedAt: instant("issued_at").notNull().default(now),
    expiresAt: instant("expires_at").notNull(),
    usedAt: instant("used_at"),
    /** What its user named its exchange by: the same again is the same use, whose answer was lost. */
    exchangeSha256: bytea("exchange_sha256"),
    refusals: integer("refusals").notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.attemptNo] }),
    check("boot_token_is_digest", sql`octet_length(${t.tokenSha256}) = 32`),
    check("exchange_of_used", sql`${t.exchangeSha256} IS NULL OR ${t.usedAt} IS NOT NULL`),
  ],
);

/** What the agent reports; apart from the workspace row, so that beats take no lock writers need. */
export const liveness = pgTable("liveness", {
  workspaceId: workspaceId().primaryKey(),
  attemptNo: counter("attempt_no"),
  lastHeartbeatAt: instant("last_heartbeat_at").notNull().default(now),
  errorRate: doublePrecision("error_rate").notNull().default(0),
  sampleError: text("sample_error").notNull().default(""),
  activeTasks: integer("active_tasks").notNull().default(0),
  uptimeSeconds: integer("uptime_seconds").notNull().default(0),
  currentTask: text("current_task").notNull().default(""),
  currentTaskAt: instant("current_task_at"),
  /** When it last said that it works, or that it no longer does; absent: it never worked. */
  workedAt: instant("worked_at"),
  /** Since its tokens were last replaced; absent for agents that we start. SPEC: E1. */
  registeredAt: instant("registered_at"),
  firstBeatAt: instant("first_beat_at"),
  /** When it first said something; only of external agents. */
  firstMessageAt: instant("first_message_at"),
  runtimeState: text("runtime_state").notNull().default(""),
  capabilities: jsonb("capabilities").$type<Record<string, boolean>>().notNull().default({}),
  idleTimeoutSeconds: integer("idle_timeout_seconds"),
});

/** What probes saw, bound to an attempt. Reading them is the reconciler's business alone. */
export const observations = pgTable(
  "observations",
  {
    id: counter("id").primaryKey().generatedAlwaysAsIdentity(),
    workspaceId: workspaceId(),
    attemptNo: counter("attempt_no").notNull(),
    kind: observationKind("kind").notNull(),
    detail: text("detail"),
    at: instant("at").notNull().default(now),
  },
  (t) => [index("observations_attempt").on(t.workspaceId, t.attemptNo, t.at)],
);

/** One row per write of desired state: the text of "17 files saved by Ada, 12:01 to 12:02". */
export const changes = pgTable(
  "changes",
  {
    id: counter("id").primaryKey().generatedAlwaysAsIdentity(),
    workspaceId: workspaceId(),
    gen: counter("gen").notNull(),
    kind: changeKind("kind").notNull(),
    /** The file's path, the setting's name or the secret's key; never a value. */
    name: text("name").notNull(),
    actorKind: actorKind("actor_kind").notNull(),
    actorId: text("actor_id"),
    actorName: text("actor_name").notNull(),
    at: instant("at").notNull().default(now),
  },
  (t) => [index("changes_gen").on(t.workspaceId, t.gen)],
);
