import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  customType,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { bytea, counter, instant, now } from "./columns.ts";
import { approvalState, memoryScope } from "./enums.ts";
import { workspaces } from "./workspaces.ts";

const workspaceId = () =>
  uuid("workspace_id")
    .notNull()
    .references(() => workspaces.id, { onDelete: "cascade" });

const tsvector = customType<{ data: string }>({ dataType: () => "tsvector" });

/** What agents keep for themselves, their team or their tree. Source: wire contract §20. */
export const memories = pgTable(
  "memories",
  {
    /** The order in which they were written. */
    seq: counter("seq").primaryKey().generatedAlwaysAsIdentity(),
    id: uuid("id").notNull().unique().defaultRandom(),
    /** The author. */
    workspaceId: workspaceId(),
    scope: memoryScope("scope").notNull(),
    namespace: text("namespace").notNull(),
    /** Without the secrets that were known when it was written. */
    content: text("content").notNull(),
    contentSha256: bytea("content_sha256").notNull(),
    /** The words of the content as the domain parts them, for any language. */
    words: tsvector("words").notNull(),
    createdAt: instant("created_at").notNull().default(now),
  },
  (t) => [
    index("memories_newest").on(t.workspaceId, t.scope, t.seq.desc()),
    // The same said again is the memory that is there already.
    uniqueIndex("memory_once").on(t.workspaceId, t.scope, t.namespace, t.contentSha256),
    index("memories_words").using("gin", t.words),
  ],
);

/** Values that an agent keeps under a name. Source: wire contract §20. */
export const memoryKeys = pgTable(
  "memory_keys",
  {
    workspaceId: workspaceId(),
    key: text("key").notNull(),
    /** JSON text, as it was written. */
    value: text("value").notNull(),
    /** Counts the values this name has had since it was last absent. */
    version: integer("version").notNull().default(1),
    /** It is absent from then on; null: it stays. */
    expiresAt: instant("expires_at"),
    createdAt: instant("created_at").notNull().default(now),
    updatedAt: instant("updated_at").notNull().default(now),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.key] }),
    index("memory_keys_expiry").on(t.expiresAt).where(sql`${t.expiresAt} IS NOT NULL`),
    check("memory_key_version_positive", sql`${t.version} > 0`),
  ],
);

/** Where agents have got to in their work. Source: wire contract §20. */
export const checkpoints = pgTable(
  "checkpoints",
  {
    /** The order in which they were written. */
    seq: counter("seq").primaryKey().generatedAlwaysAsIdentity(),
    id: uuid("id").notNull().unique().defaultRandom(),
    workspaceId: workspaceId(),
    /** Empty: of no named workflow. */
    workflowId: text("workflow_id").notNull(),
    /** JSON text, as it was written but for secrets. */
    body: text("body").notNull(),
    createdAt: instant("created_at").notNull().default(now),
  },
  (t) => [index("checkpoints_newest").on(t.workspaceId, t.seq.desc())],
);

/** What the operator tells every agent, or one. Source: wire contract §20. */
export const instructions = pgTable(
  "instructions",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    /** Whom it is for; null: everybody. */
    workspaceId: uuid("workspace_id").references(() => workspaces.id, { onDelete: "cascade" }),
    /** Empty when it was given none. */
    title: text("title").notNull().default(""),
    content: text("content").notNull(),
    /** Higher ones are told first. */
    priority: integer("priority").notNull().default(0),
    enabled: boolean("enabled").notNull().default(true),
    createdAt: instant("created_at").notNull().default(now),
    updatedAt: instant("updated_at").notNull().default(now),
  },
  (t) => [index("instructions_workspace").on(t.workspaceId)],
);

/** What an agent asked a person for before it does it. Source: wire contract §20. */
export const approvals = pgTable(
  "approvals",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    workspaceId: workspaceId(),
    action: text("action").notNull(),
    reason: text("reason").notNull(),
    taskId: text("task_id"),
    /** JSON text, as it came but for secrets. */
    context: text("context"),
    state: approvalState("state").notNull().default("pending"),
    /** For a person; absent while it waits. */
    decidedBy: text("decided_by"),
    decidedAt: instant("decided_at"),
    createdAt: instant("created_at").notNull().default(now),
    /** Whoever looks from then on finds it denied. */
    expiresAt: instant("expires_at").notNull(),
  },
  (t) => [
    index("approvals_newest").on(t.workspaceId, t.createdAt.desc()),
    index("approvals_pending").on(t.expiresAt).where(sql`${t.state} = 'pending'`),
    check("approval_decided", sql`(${t.state} = 'pending') = (${t.decidedAt} IS NULL)`),
  ],
);
