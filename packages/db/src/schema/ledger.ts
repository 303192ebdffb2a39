import { sql } from "drizzle-orm";
import { check, index, integer, pgTable, text, unique, uuid } from "drizzle-orm/pg-core";
import { counter, instant, now } from "./columns.ts";
import { actorKind, restartOutcome, restartSource, tallyName } from "./enums.ts";
import { workspaces } from "./workspaces.ts";

/**
 * What asked for a restart and what came of it. The same again (source, outcome, attempt, actor) is
 * counted in one row, so that a storm of probes is as long as one. A trigger counts into `tallies`.
 */
export const restartRequests = pgTable(
  "restart_requests",
  {
    id: counter("id").primaryKey().generatedAlwaysAsIdentity(),
    workspaceId: uuid("workspace_id")
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    /** The attempt it went into, or that was current when it came; null before the first. */
    attemptNo: counter("attempt_no"),
    source: restartSource("source").notNull(),
    outcome: restartOutcome("outcome").notNull(),
    actorKind: actorKind("actor_kind").notNull(),
    actorId: text("actor_id"),
    actorName: text("actor_name").notNull(),
    /** For a person; the latest of those counted. */
    sentence: text("sentence").notNull(),
    count: integer("count").notNull().default(1),
    firstAt: instant("first_at").notNull().default(now),
    lastAt: instant("last_at").notNull().default(now),
  },
  (t) => [
    unique("restart_requests_fold")
      .on(t.workspaceId, t.attemptNo, t.source, t.outcome, t.actorKind, t.actorName)
      .nullsNotDistinct(),
    index("restart_requests_newest").on(t.workspaceId, t.id),
    index("restart_requests_last").on(t.lastAt),
    check("restart_request_counts", sql`${t.count} > 0`),
  ],
);

/**
 * Counters of the metrics, for ever and for all processes: only ever added to, a row for each, so that
 * nobody waits for anybody; now and then rows become their sum. No workspace: they outlive it.
 */
export const tallies = pgTable("tallies", {
  id: counter("id").primaryKey().generatedAlwaysAsIdentity(),
  name: tallyName("name").notNull(),
  /** The source, the reason or the action. */
  label: text("label").notNull(),
  /** Empty where the counter has one label. */
  outcome: text("outcome").notNull(),
  n: counter("n").notNull(),
});
