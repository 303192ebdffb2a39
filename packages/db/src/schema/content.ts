import { STATUS_EVENTS } from "@molecule/domain/status-history";
import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { bytea, counter, instant, now } from "./columns.ts";
import { activityStatus, activityType, eventType, memberRole, queueStatus } from "./enums.ts";
import { workspaces } from "./workspaces.ts";

const workspaceId = () =>
  uuid("workspace_id")
    .notNull()
    .references(() => workspaces.id, { onDelete: "cascade" });

/** A person. The first start makes one owner. */
export const members = pgTable("members", {
  id: uuid("id").primaryKey().defaultRandom(),
  name: text("name").notNull(),
  role: memberRole("role").notNull(),
  createdAt: instant("created_at").notNull().default(now),
  removedAt: instant("removed_at"),
});

/** One-time sign-in links; only the SHA-256 of the secret part is stored. */
export const signInLinks = pgTable("sign_in_links", {
  tokenSha256: bytea("token_sha256").primaryKey(),
  memberId: uuid("member_id")
    .notNull()
    .references(() => members.id, { onDelete: "cascade" }),
  createdAt: instant("created_at").notNull().default(now),
  expiresAt: instant("expires_at").notNull(),
  usedAt: instant("used_at"),
});

/** Browser sessions; the cookie's SHA-256 is the key. */
export const sessions = pgTable("sessions", {
  tokenSha256: bytea("token_sha256").primaryKey(),
  memberId: uuid("member_id")
    .notNull()
    .references(() => members.id, { onDelete: "cascade" }),
  createdAt: instant("created_at").notNull().default(now),
  lastSeenAt: instant("last_seen_at").notNull().default(now),
  expiresAt: instant("expires_at").notNull(),
  revokedAt: instant("revoked_at"),
});

/**
 * One-use tickets that open a terminal for a page; only the SHA-256 is stored, here because the server
 * that makes one need not be the one that takes it. Source: security C2 row 20.
 */
export const terminalTickets = pgTable("terminal_tickets", {
  tokenSha256: bytea("token_sha256").primaryKey(),
  workspaceId: workspaceId(),
  attemptNo: counter("attempt_no").notNull(),
  /** The session that asked for it; NULL: the operator of this machine, who has none. */
  sessionSha256: bytea("session_sha256").references(() => sessions.tokenSha256, {
    onDelete: "cascade",
  }),
  createdAt: instant("created_at").notNull().default(now),
  expiresAt: instant("expires_at").notNull(),
  usedAt: instant("used_at"),
});

const secretColumns = {
  key: text("key").notNull(),
  /** Counts the values this name has had. */
  version: integer("version").notNull().default(1),
  record: bytea("record").notNull(),
  /** Source: security C2 row 10. Ours is 2; 0 and 1 are read for import only. */
  encryptionVersion: smallint("encryption_version").notNull().default(2),
  createdAt: instant("created_at").notNull().default(now),
  updatedAt: instant("updated_at").notNull().default(now),
};
/** Secrets of one workspace, encrypted. */
export const workspaceSecrets = pgTable(
  "workspace_secrets",
  { workspaceId: workspaceId(), ...secretColumns },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.key] }),
    check("workspace_secret_version_known", sql`${t.encryptionVersion} IN (0, 1, 2)`),
  ],
);
/** Secrets of the organisation; a workspace's own key hides the one here. */
export const globalSecrets = pgTable("global_secrets", secretColumns, (t) => [
  primaryKey({ columns: [t.key] }),
  check("global_secret_version_known", sql`${t.encryptionVersion} IN (0, 1, 2)`),
]);

/** Files under `/configs`. The row is the truth, the instance's copy a projection of it. */
export const managedFiles = pgTable(
  "managed_files",
  {
    workspaceId: workspaceId(),
    path: text("path").notNull(),
    content: bytea("content").notNull(),
    sha256: text("sha256").notNull(),
    size: integer("size").notNull(),
    gen: counter("gen").notNull(),
    /**
     * Hashes of our versions that the instance may hold, newest last: one after a recorded start,
     * several while nobody knows how far a start came. Empty before the first.
     */
    projectedSha256: text("projected_sha256").array().notNull().default(sql`'{}'`),
    updatedAt: instant("updated_at").notNull().default(now),
    updatedBy: text("updated_by").notNull(),
    /** Set instead of removing the row, so that the projection can remove the instance's copy. */
    deletedAt: instant("deleted_at"),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.path] }),
    check("managed_file_size", sql`${t.size} <= 1048576`),
  ],
);

/** What happened in a workspace: messages, tasks, changes, lifecycle. Source: contract §8.3. */
export const activity = pgTable(
  "activity",
  {
    seq: counter("seq").primaryKey().generatedAlwaysAsIdentity(),
    id: uuid("id").notNull().unique().defaultRandom(),
    workspaceId: workspaceId(),
    activityType: activityType("activity_type").notNull(),
    /** A workspace id; absent for a person. */
    sourceId: uuid("source_id"),
    targetId: uuid("target_id"),
    method: text("method"),
    summary: text("summary"),
    requestBody: jsonb("request_body"),
    responseBody: jsonb("response_body"),
    toolTrace: jsonb("tool_trace"),
    durationMs: integer("duration_ms"),
    status: activityStatus("status").notNull().default("ok"),
    errorDetail: text("error_detail"),
    /** A2A message id; makes a repeated send one row. */
    messageId: text("message_id"),
    idempotencyKey: text("idempotency_key"),
    actorName: text("actor_name"),
    createdAt: instant("created_at").notNull().default(now),
    updatedAt: instant("updated_at").notNull().default(now),
  },
  (t) => [
    index("activity_by_workspace").on(t.workspaceId, t.seq.desc()),
    index("activity_by_type").on(t.workspaceId, t.activityType, t.seq.desc()),
    index("activity_created").on(t.createdAt),
    uniqueIndex("activity_message")
      .on(t.workspaceId, t.messageId)
      .where(sql`${t.messageId} IS NOT NULL`),
    uniqueIndex("activity_idempotency")
      .on(t.workspaceId, t.idempotencyKey)
      .where(sql`${t.idempotencyKey} IS NOT NULL`),
  ],
);

/**
 * Messages that wait for their target or are being delivered. Source: contract §6.7. `id` is that of
 * the activity row that holds question and answer. `dispatched_at` is set before the first byte is
 * sent and cleared only when certainly none was, so a set one may have been processed.
 */
export const a2aQueue = pgTable(
  "a2a_queue",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    workspaceId: workspaceId(),
    /** The sending workspace; absent for a person. */
    callerId: uuid("caller_id"),
    priority: smallint("priority").notNull().default(50),
    body: jsonb("body").notNull(),
    method: text("method").notNull(),
    /** The agent's name for the task this became, once it told; asked after when an answer is lost. */
    taskId: text("task_id"),
    /** Who led to it: each asked the next, the last one sent it. Empty: a person. SPEC: DG1. */
    chain: uuid("chain").array().notNull().default(sql`'{}'`),
    /**
     * A task for an agent that polls: it is in the agent's inbox, nobody delivers it, and it ends with
     * the agent's answer or at `expires_at`.
     */
    isInbox: boolean("is_inbox").notNull().default(false),
    idempotencyKey: text("idempotency_key"),
    status: queueStatus("status").notNull().default("queued"),
    attempts: integer("attempts").notNull().default(0),
    /** Restarts that broke it off; after the first it is sent once more. */
    interruptions: smallint("interruptions").notNull().default(0),
    enqueuedAt: instant("enqueued_at").notNull().default(now),
    dispatchedAt: instant("dispatched_at"),
    completedAt: instant("completed_at"),
    expiresAt: instant("expires_at"),
    lastError: text("last_error"),
    nextActionAt: instant("next_action_at"),
    leaseOwner: text("lease_owner"),
    leaseEpoch: counter("lease_epoch").notNull().default(0),
    leaseUntil: instant("lease_until"),
  },
  (t) => [
    uniqueIndex("a2a_queue_key")
      .on(t.workspaceId, t.idempotencyKey)
      .where(sql`${t.status} IN ('queued','dispatched') AND ${t.idempotencyKey} IS NOT NULL`),
    index("a2a_queue_due").on(t.nextActionAt).where(sql`${t.nextActionAt} IS NOT NULL`),
    // The few of a workspace that have not ended, among all it ever got.
    index("a2a_queue_open").on(t.workspaceId).where(sql`${t.status} IN ('queued','dispatched')`),
  ],
);

/** The event log. Readers go by (txid, id) below the oldest running transaction. */
export const events = pgTable(
  "events",
  {
    id: counter("id").primaryKey().generatedAlwaysAsIdentity(),
    /** `pg_current_xact_id()` as bigint. */
    txid: counter("txid").notNull().default(sql`pg_current_xact_id()::text::bigint`),
    event: eventType("event").notNull(),
    /** Kept after the workspace is purged, so no foreign key. */
    subjectId: uuid("subject_id"),
    payload: jsonb("payload").$type<Record<string, unknown>>().notNull(),
    at: instant("at").notNull().default(now),
  },
  (t) => [
    index("events_cursor").on(t.txid, t.id),
    index("events_at").on(t.at),
    // The few of a workspace that tell its status, among the many of its messages.
    index("events_status")
      .on(t.subjectId, t.at)
      .where(sql`${t.event} IN (${sql.raw(STATUS_EVENTS.map((one) => `'${one}'`).join(", "))})`),
  ],
);

/** Where a card stands on the canvas. Positions of children are relative to their parent. */
export const layouts = pgTable("layouts", {
  workspaceId: workspaceId().primaryKey(),
  x: doublePrecision("x").notNull().default(0),
  y: doublePrecision("y").notNull().default(0),
  collapsed: boolean("collapsed").notNull().default(false),
});

/** The camera of the canvas; one row. */
export const viewport = pgTable(
  "viewport",
  {
    id: smallint("id").primaryKey().default(1),
    x: doublePrecision("x").notNull().default(0),
    y: doublePrecision("y").notNull().default(0),
    zoom: doublePrecision("zoom").notNull().default(1),
  },
  (t) => [check("one_viewport", sql`${t.id} = 1`)],
);

/** Live worker processes and where their private API listens. */
export const workers = pgTable("workers", {
  id: text("id").primaryKey(),
  url: text("url").notNull(),
  /** Backends this worker offers and why the others are not, and the bridge gateway it made. */
  info: jsonb("info").$type<Record<string, unknown>>().notNull(),
  startedAt: instant("started_at").notNull().default(now),
  lastSeenAt: instant("last_seen_at").notNull().default(now),
});
