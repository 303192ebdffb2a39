import type { ScheduleRunView, ScheduleView } from "@molecule/contracts/schedules";
import type {
  ScheduleRow,
  ScheduleRunRow,
  WatchedSchedule,
} from "@molecule/db/schedules/schedule-rows";

/** A schedule for the canvas. */
export function viewSchedule(row: ScheduleRow): ScheduleView {
  return {
    id: row.id,
    workspaceId: row.workspaceId,
    name: row.name,
    cronExpr: row.cronExpr,
    timezone: row.timezone,
    prompt: row.prompt,
    enabled: row.enabled,
    source: row.source,
    nextRunAt: row.nextRunAt?.toISOString() ?? null,
    lastRunAt: row.lastRunAt?.toISOString() ?? null,
    lastStatus: row.lastStatus,
    lastError: row.lastError,
    runCount: row.runCount,
  };
}

/** A run for the canvas. */
export function viewRun(run: ScheduleRunRow): ScheduleRunView {
  return {
    id: run.id,
    cause: run.cause,
    dueAt: run.dueAt.toISOString(),
    startedAt: run.startedAt.toISOString(),
    durationMs: run.durationMs,
    outcome: run.outcome,
    note: run.note,
    missed: run.missed,
    actorName: run.actorName,
  };
}

/** A schedule for scripts. Source: wire contract §13. */
export function wireSchedule(row: ScheduleRow) {
  return { ...wireHealth(row), prompt: row.prompt };
}

/** The same without what its agent is told. Source: wire contract §13, `schedules/health`. */
export function wireHealth(row: ScheduleRow) {
  return {
    id: row.id,
    workspace_id: row.workspaceId,
    name: row.name,
    cron_expr: row.cronExpr,
    timezone: row.timezone,
    enabled: row.enabled,
    last_run_at: row.lastRunAt?.toISOString() ?? null,
    next_run_at: row.nextRunAt?.toISOString() ?? null,
    run_count: row.runCount,
    last_status: row.lastStatus,
    last_error: row.lastError,
    source: row.source,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}

/** The same for the operator: whose it is, and for how long its time has passed without a run. */
export function wireWatched({ row, workspaceName, overdueSeconds }: WatchedSchedule) {
  return { ...wireHealth(row), workspace_name: workspaceName, overdue_seconds: overdueSeconds };
}

/** A run for scripts; `pending` while its message waits or is answered. Source: wire contract §13. */
export function wireRun(run: ScheduleRunRow) {
  return {
    timestamp: run.startedAt.toISOString(),
    duration_ms: run.durationMs,
    status: run.outcome ?? "pending",
    error_detail: run.note,
    request: {
      schedule_id: run.scheduleId,
      prompt: run.prompt,
      cause: run.cause,
      due_at: run.dueAt.toISOString(),
      missed: run.missed,
      message_id: run.messageId,
    },
  };
}
