import { type CronExpression, readCron } from "@molecule/domain/cron";
import { DomainError } from "@molecule/domain/errors";
import { MAX_SCHEDULES } from "@molecule/domain/schedule";
import type { ScheduleSource } from "@molecule/domain/sets";
import { and, asc, desc, eq, ne, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { scheduleRuns, schedules } from "../schema/schedules.ts";
import { workspaces } from "../schema/workspaces.ts";
import { storableText } from "../storable.ts";
import { isTimeZone, RunTimes } from "./run-times.ts";

/** One schedule as stored. */
export type ScheduleRow = typeof schedules.$inferSelect;
/** One of its runs as stored. */
export type ScheduleRunRow = typeof scheduleRuns.$inferSelect;

/** Which schedule of which workspace. */
export interface ScheduleRef {
  readonly workspaceId: string;
  readonly id: string;
}

/** What somebody decides about a schedule. */
export interface ScheduleWishes {
  readonly name: string;
  readonly cronExpr: string;
  readonly timezone: string;
  readonly prompt: string;
  readonly enabled: boolean;
}

/** Oldest first. */
export async function listSchedules(q: Queryable, workspaceId: string): Promise<ScheduleRow[]> {
  return await ormOf(q)
    .select()
    .from(schedules)
    .where(eq(schedules.workspaceId, workspaceId))
    .orderBy(asc(schedules.createdAt), asc(schedules.id));
}

/** A schedule with whose it is, and how long its time has passed without a run, in seconds. */
export interface WatchedSchedule {
  readonly row: ScheduleRow;
  readonly workspaceName: string;
  /** 0 while its time is to come, or while it is off. */
  readonly overdueSeconds: number;
}

/** Every schedule of every workspace that is not removed, in the order they run next; those without last. */
export async function listAllSchedules(q: Queryable): Promise<WatchedSchedule[]> {
  return await ormOf(q)
    .select({
      row: schedules,
      workspaceName: workspaces.name,
      overdueSeconds: sql<number>`COALESCE(GREATEST(0,
        floor(extract(epoch FROM cp_now() - ${schedules.nextRunAt}))), 0)::int`,
    })
    .from(schedules)
    .innerJoin(workspaces, eq(workspaces.id, schedules.workspaceId))
    .where(ne(workspaces.intent, "deleted"))
    .orderBy(sql`${schedules.nextRunAt} ASC NULLS LAST`, asc(schedules.id));
}

/** @throws DomainError `not_found`. */
export async function requireSchedule(q: Queryable, ref: ScheduleRef): Promise<ScheduleRow> {
  const [row] = await ormOf(q).select().from(schedules).where(named(ref));
  if (row === undefined) throw noSuchSchedule();
  return row;
}

/** The newest runs first. */
export async function listRuns(
  q: Queryable,
  scheduleId: string,
  limit: number,
): Promise<ScheduleRunRow[]> {
  return await ormOf(q)
    .select()
    .from(scheduleRuns)
    .where(eq(scheduleRuns.scheduleId, scheduleId))
    .orderBy(desc(scheduleRuns.startedAt), desc(scheduleRuns.id))
    .limit(limit);
}

/**
 * Adds a schedule of a workspace that its caller has locked. SPEC: SC1, SC12.
 * @throws DomainError `bad_request` (details: `field`), `rate_limited` for one too many.
 */
export async function insertSchedule(
  tx: Transaction,
  workspaceId: string,
  wishes: ScheduleWishes & { readonly source: ScheduleSource },
): Promise<ScheduleRow> {
  const orm = ormOf(tx);
  const times = requireTimes(wishes);
  const count = await orm.$count(schedules, eq(schedules.workspaceId, workspaceId));
  if (count >= MAX_SCHEDULES) {
    throw new DomainError("rate_limited", `A workspace has ${MAX_SCHEDULES} schedules at most.`, {
      next: "Delete one that is no longer needed.",
    });
  }
  const [row] = await orm
    .insert(schedules)
    .values({
      workspaceId,
      ...storable(wishes),
      source: wishes.source,
      ...timesFrom(wishes.enabled ? times.after(await readNow(tx)) : null),
    })
    .returning();
  if (row === undefined) throw new Error("invariant: an insert returns its row");
  await tellSchedule(tx, row, "created");
  return row;
}

/**
 * Changes a schedule. Another time, time zone or switch counts from now: what passed before is not made
 * up for. SPEC: SC12. @throws DomainError `not_found`, `bad_request` (details: `field`).
 */
export async function updateSchedule(
  tx: Transaction,
  ref: ScheduleRef,
  changes: Partial<ScheduleWishes>,
): Promise<ScheduleRow> {
  const orm = ormOf(tx);
  const [before] = await orm.select().from(schedules).where(named(ref)).for("no key update");
  if (before === undefined) throw noSuchSchedule();
  const wishes = { ...before, ...changes };
  const times = requireTimes(wishes);
  const isTimed =
    wishes.cronExpr !== before.cronExpr ||
    wishes.timezone !== before.timezone ||
    wishes.enabled !== before.enabled;
  const [row] = await orm
    .update(schedules)
    .set({
      ...storable(wishes),
      ...(isTimed ? timesFrom(wishes.enabled ? times.after(await readNow(tx)) : null) : {}),
      updatedAt: sql`cp_now()`,
    })
    .where(named(ref))
    .returning();
  if (row === undefined) throw noSuchSchedule();
  await tellSchedule(tx, row, "changed");
  return row;
}

/** Its history goes with it; messages it has sent stay. @throws DomainError `not_found`. */
export async function deleteSchedule(tx: Transaction, ref: ScheduleRef): Promise<void> {
  const [row] = await ormOf(tx).delete(schedules).where(named(ref)).returning();
  if (row === undefined) throw noSuchSchedule();
  await tellSchedule(tx, row, "deleted");
}

/**
 * The times of a schedule. @throws DomainError `bad_request` naming the field (`cron_expr`, `timezone`)
 * in its details: not five fields, a value out of range, an unknown zone, a date that never comes.
 */
export function requireTimes(of: Pick<ScheduleWishes, "cronExpr" | "timezone">): RunTimes {
  const cron = requireCron(of.cronExpr);
  if (!isTimeZone(of.timezone)) {
    const quoted = of.timezone.slice(0, 64);
    throw new DomainError("bad_request", `There is no time zone called “${quoted}”.`, {
      next: "Use a name such as UTC, Europe/Berlin or America/New_York.",
      details: { field: "timezone" },
    });
  }
  const times = new RunTimes(cron, of.timezone);
  if (times.after(new Date(0)) === null) {
    throw new DomainError("bad_request", `“${of.cronExpr}” names a date that never comes.`, {
      details: { field: "cron_expr" },
    });
  }
  return times;
}

function requireCron(text: string): CronExpression {
  const read = readCron(text);
  if (read.kind === "cron") return read.cron;
  throw new DomainError("bad_request", read.sentence, {
    next: "For example “0 9 * * 1-5”: at 09:00 from Monday to Friday.",
    details: { field: "cron_expr", ...(read.field === null ? {} : { cron_field: read.field }) },
  });
}

/** `cp_now()`, the clock of every decision about a schedule. */
export async function readNow(q: Queryable): Promise<Date> {
  const [time] = await ormOf(q).execute<{ now: string }>(sql`SELECT cp_now() AS now`);
  if (time === undefined) throw new Error("invariant: SELECT cp_now() answers one row");
  return new Date(time.now);
}

/** Columns that say when it runs next; null: it does not. */
export function timesFrom(next: Date | null) {
  return { enabled: next !== null, nextRunAt: next, nextActionAt: next };
}

/** Tells that a schedule is another one than before. */
export async function tellSchedule(
  tx: Transaction,
  row: ScheduleRow,
  what: "created" | "changed" | "deleted" | "fired",
): Promise<void> {
  await appendEvent(tx, {
    event: "SCHEDULE_UPDATED",
    subjectId: row.workspaceId,
    payload: { schedule_id: row.id, schedule_name: row.name, change: what },
  });
}

/** Names of the workspace's schedules that came from its template. */
export async function templateScheduleNames(
  tx: Transaction,
  workspaceId: string,
): Promise<ReadonlySet<string>> {
  const rows = await ormOf(tx)
    .select({ name: schedules.name })
    .from(schedules)
    .where(and(eq(schedules.workspaceId, workspaceId), eq(schedules.source, "template")));
  return new Set(rows.map((row) => row.name));
}

function storable(wishes: ScheduleWishes) {
  return {
    name: storableText(wishes.name),
    cronExpr: storableText(wishes.cronExpr),
    timezone: wishes.timezone,
    prompt: storableText(wishes.prompt),
  };
}

function named(ref: ScheduleRef) {
  return and(eq(schedules.workspaceId, ref.workspaceId), eq(schedules.id, ref.id));
}

function noSuchSchedule(): DomainError {
  return new DomainError("not_found", "This workspace has no such schedule.");
}
