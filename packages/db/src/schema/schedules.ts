import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  index,
  integer,
  pgTable,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { instant, now } from "./columns.ts";
import { scheduleCause, scheduleOutcome, scheduleSource } from "./enums.ts";
import { workspaces } from "./workspaces.ts";

const workspaceId = () =>
  uuid("workspace_id")
    .notNull()
    .references(() => workspaces.id, { onDelete: "cascade" });

/**
 * A message that an agent gets again and again. Source: contract §13. Whoever fires it holds the row's
 * lock for the one transaction that queues the message and moves the times on; nothing of a run happens
 * outside the database, so no lease has to outlive that transaction.
 */
export const schedules = pgTable(
  "schedules",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    workspaceId: workspaceId(),
    /** Empty when it was given none. */
    name: text("name").notNull().default(""),
    cronExpr: text("cron_expr").notNull(),
    timezone: text("timezone").notNull(),
    prompt: text("prompt").notNull(),
    enabled: boolean("enabled").notNull().default(true),
    source: scheduleSource("source").notNull(),
    /** Begun runs, skipped ones not counted. */
    runCount: integer("run_count").notNull().default(0),
    lastRunAt: instant("last_run_at"),
    lastStatus: scheduleOutcome("last_status"),
    lastError: text("last_error"),
    /** Answers in a row that said nothing. */
    emptyRuns: integer("empty_runs").notNull().default(0),
    /** Absent while it is switched off. */
    nextRunAt: instant("next_run_at"),
    /** When a worker looks at it: its next run, or later when it could not be fired. */
    nextActionAt: instant("next_action_at"),
    createdAt: instant("created_at").notNull().default(now),
    updatedAt: instant("updated_at").notNull().default(now),
  },
  (t) => [
    index("schedules_workspace").on(t.workspaceId),
    index("schedules_due").on(t.nextActionAt).where(sql`${t.nextActionAt} IS NOT NULL`),
    check("schedule_on_has_next_run", sql`${t.enabled} = (${t.nextRunAt} IS NOT NULL)`),
    check("schedule_due_has_next_run", sql`(${t.nextActionAt} IS NULL) = (${t.nextRunAt} IS NULL)`),
  ],
);

/** One time of a schedule: the message it sent, or why it sent none. */
export const scheduleRuns = pgTable(
  "schedule_runs",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    scheduleId: uuid("schedule_id")
      .notNull()
      .references(() => schedules.id, { onDelete: "cascade" }),
    workspaceId: workspaceId(),
    /** The activity row and queue item of its message; absent when none was sent. Kept after both. */
    activityId: uuid("activity_id"),
    messageId: text("message_id"),
    cause: scheduleCause("cause").notNull(),
    /** The time it stands for; of a manual run the time it was asked for. */
    dueAt: instant("due_at").notNull(),
    /** Further times that passed until it began. */
    missed: integer("missed").notNull().default(0),
    prompt: text("prompt").notNull(),
    actorName: text("actor_name").notNull(),
    startedAt: instant("started_at").notNull().default(now),
    endedAt: instant("ended_at"),
    /** Absent while its message waits or is answered. */
    outcome: scheduleOutcome("outcome"),
    /** Why it was skipped or failed, and that it was late; for a person. */
    note: text("note"),
    durationMs: integer("duration_ms"),
  },
  (t) => [
    index("schedule_runs_newest").on(t.scheduleId, t.startedAt.desc()),
    index("schedule_runs_workspace").on(t.workspaceId),
    uniqueIndex("schedule_run_activity").on(t.activityId).where(sql`${t.activityId} IS NOT NULL`),
    // Two workers, or one that comes back, never make two runs of one time.
    uniqueIndex("schedule_run_once").on(t.scheduleId, t.dueAt).where(sql`${t.cause} <> 'manual'`),
    check("schedule_run_ended", sql`(${t.outcome} IS NULL) = (${t.endedAt} IS NULL)`),
  ],
);
