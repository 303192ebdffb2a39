import { outcomeOfRun, STALE_AFTER_EMPTY_RUNS } from "@molecule/domain/schedule";
import type { ScheduleOutcome } from "@molecule/domain/sets";
import { eq, sql } from "drizzle-orm";
import { logActivity } from "../activity/activity-log.ts";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { scheduleRuns, schedules } from "../schema/schedules.ts";
import { storableText } from "../storable.ts";

/** How the message of a run ended. */
export interface RunEnd {
  readonly status: "ok" | "error";
  /** The answer has neither text nor anything else in it. */
  readonly isEmpty: boolean;
  /** For a person; null after an answer. */
  readonly error: string | null;
  readonly durationMs: number | null;
}

type Run = typeof scheduleRuns.$inferSelect;
type Schedule = typeof schedules.$inferSelect;

const STALE_SENTENCE = `The last ${STALE_AFTER_EMPTY_RUNS} answers had nothing in them.`;

/**
 * Ends the run whose message this is, in the transaction that ends the message; nothing for any other
 * message. A message that a person repeats ends its run anew. SPEC: SC10.
 */
export async function endRun(tx: Transaction, activityId: string, end: RunEnd): Promise<void> {
  const orm = ormOf(tx);
  const [found] = await orm
    .select({ run: scheduleRuns, schedule: schedules })
    .from(scheduleRuns)
    .innerJoin(schedules, eq(schedules.id, scheduleRuns.scheduleId))
    .where(eq(scheduleRuns.activityId, activityId))
    .for("no key update");
  if (found === undefined) return;
  const { run, schedule } = found;
  const { outcome, emptyRuns } = outcomeOfRun({ ...end, emptyRunsBefore: schedule.emptyRuns });
  const error = end.error === null ? null : storableText(end.error, 4096);
  const what = outcome === "stale" ? STALE_SENTENCE : error;
  await orm
    .update(scheduleRuns)
    .set({
      outcome,
      endedAt: sql`cp_now()`,
      durationMs: end.durationMs,
      note: [run.outcome === null ? run.note : null, what].filter(isText).join(" ") || null,
    })
    .where(eq(scheduleRuns.id, run.id));
  await orm
    .update(schedules)
    .set({ lastStatus: outcome, lastError: what, emptyRuns })
    .where(eq(schedules.id, schedule.id));
  await tell(tx, { run, schedule, outcome, what, durationMs: end.durationMs });
}

async function tell(
  tx: Transaction,
  ended: {
    readonly run: Run;
    readonly schedule: Schedule;
    readonly outcome: ScheduleOutcome;
    readonly what: string | null;
    readonly durationMs: number | null;
  },
): Promise<void> {
  const { run, schedule, outcome } = ended;
  const name = schedule.name === "" ? "Schedule" : `Schedule “${schedule.name}”`;
  await logActivity(tx, {
    workspaceId: schedule.workspaceId,
    type: "cron_run",
    status: outcome === "error" ? "error" : "ok",
    targetId: schedule.workspaceId,
    summary: `${name}: ${SUMMARIES[outcome]}`,
    requestBody: {
      schedule_id: schedule.id,
      schedule_name: schedule.name,
      cron_expr: schedule.cronExpr,
      prompt: run.prompt,
      message_id: run.messageId,
    },
    errorDetail: ended.what,
    durationMs: ended.durationMs,
    actorName: run.actorName,
    idempotencyKey: `cron_run:${run.id}`,
  });
  await appendEvent(tx, {
    event: "CRON_EXECUTED",
    subjectId: schedule.workspaceId,
    payload: { schedule_id: schedule.id, schedule_name: schedule.name, status: outcome },
  });
}

const SUMMARIES: Readonly<Record<ScheduleOutcome, string>> = {
  ok: "run",
  error: "failed",
  skipped: "skipped",
  stale: "run, but its answers are empty",
};

const isText = (value: string | null): value is string => value !== null && value !== "";
