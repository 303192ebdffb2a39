import { randomUUID } from "node:crypto";
import { deliveryOf } from "@molecule/domain/delivery";
import { isDomainError } from "@molecule/domain/errors";
import {
  catchUpSentence,
  causeOf,
  decideFire,
  type FireDecision,
  MAX_MISSED_COUNT,
  type ScheduleSkip,
  scheduleMessageId,
  skipSentence,
} from "@molecule/domain/schedule";
import type { Actor, ScheduleCause } from "@molecule/domain/sets";
import { and, asc, eq, isNull, lte, sql } from "drizzle-orm";
import { logActivity } from "../activity/activity-log.ts";
import { joinActivityOrder } from "../activity/activity-order.ts";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { setIntent } from "../lifecycle/set-intent.ts";
import { acceptMessage } from "../queue/accept-message.ts";
import { loadTarget, type Target } from "../registry/targets.ts";
import { a2aQueue } from "../schema/content.ts";
import { scheduleRuns, schedules } from "../schema/schedules.ts";
import { endRun } from "./end-run.ts";
import { runsItsOwn } from "./runs-its-own.ts";
import {
  readNow,
  requireTimes,
  type ScheduleRow,
  type ScheduleRunRow,
  tellSchedule,
  timesFrom,
} from "./schedule-rows.ts";
import { trimRuns } from "./trim-runs.ts";

/** What became of one time of a schedule. */
export type Fired =
  /** Its message waits in the queue, or was written down for an agent that polls. */
  | { readonly kind: "sent"; readonly run: ScheduleRunRow }
  /** `run` is null where somebody asked for it: they are told instead. */
  | {
      readonly kind: "skipped";
      readonly reason: ScheduleSkip;
      readonly sentence: string;
      readonly run: ScheduleRunRow | null;
    }
  /** The runtime runs its schedules itself, this time was run before, or the workspace is gone. */
  | { readonly kind: "passed" };

/** The ids of schedules whose time has come, the longest due first. */
export async function findDueSchedules(q: Queryable, limit: number): Promise<string[]> {
  const rows = await ormOf(q)
    .select({ id: schedules.id })
    .from(schedules)
    .where(lte(schedules.nextActionAt, sql`(SELECT cp_now())`))
    .orderBy(asc(schedules.nextActionAt))
    .limit(limit);
  return rows.map((row) => row.id);
}

/**
 * Fires a schedule that is due: its message and its next time are one commit, so a worker that is killed
 * anywhere has done both or neither. Null when another worker has it, or has done it already.
 * SPEC: SC5 to SC9.
 */
export async function fireDue(tx: Transaction, id: string): Promise<Fired | null> {
  const orm = ormOf(tx);
  const [row] = await orm
    .select()
    .from(schedules)
    .where(and(eq(schedules.id, id), lte(schedules.nextActionAt, sql`cp_now()`)))
    .for("no key update", { skipLocked: true });
  if (row === undefined || row.nextRunAt === null) return null;
  const now = await readNow(tx);
  const times = requireTimes(row);
  const dueAt = row.nextRunAt;
  const missed = times.countBetween(dueAt, now, MAX_MISSED_COUNT);
  const target = await loadTarget(tx, row.workspaceId);
  const isGone = target === null || target.status === "removed";
  await orm
    .update(schedules)
    .set(timesFrom(isGone ? null : times.after(now)))
    .where(eq(schedules.id, id));
  if (isGone) return { kind: "passed" };
  const cause = causeOf({ dueAt, now, missed });
  return await fire(tx, { row, target, cause, dueAt, missed, actorName: nameOf(row) });
}

/**
 * Runs a schedule now, whatever its time and switch; its next run stays. While a message of it waits,
 * that one is the answer. SPEC: SC11. The caller has checked that it is the workspace's own.
 */
export async function fireNow(
  tx: Transaction,
  id: string,
  actor: Actor,
): Promise<Exclude<Fired, { kind: "passed" }> | null> {
  const [row] = await ormOf(tx)
    .select()
    .from(schedules)
    .where(eq(schedules.id, id))
    .for("no key update");
  const target = row === undefined ? null : await loadTarget(tx, row.workspaceId);
  if (row === undefined || target === null || target.status === "removed") return null;
  const dueAt = await readNow(tx);
  const actorName = `${nameOf(row)}, run by ${actor.name}`;
  const fired = await fire(tx, { row, target, cause: "manual", dueAt, missed: 0, actorName });
  if (fired.kind === "passed") return null;
  if (fired.kind === "skipped" && fired.reason === "still_waiting") {
    const run = await waitingRun(tx, row.id);
    if (run !== null) return { kind: "sent", run };
  }
  return fired;
}

/** Looks at a schedule again later, because it could not be fired now. SPEC: SC13. */
export async function postponeSchedule(q: Queryable, id: string, afterMs: number): Promise<void> {
  await ormOf(q)
    .update(schedules)
    .set({ nextActionAt: sql`cp_now() + ${afterMs} * interval '1 millisecond'` })
    .where(and(eq(schedules.id, id), lte(schedules.nextActionAt, sql`cp_now()`)));
}

/** One time of a schedule, with its row locked. */
interface Firing {
  readonly row: ScheduleRow;
  readonly target: Target;
  readonly cause: ScheduleCause;
  readonly dueAt: Date;
  readonly missed: number;
  readonly actorName: string;
}

async function fire(tx: Transaction, firing: Firing): Promise<Fired> {
  const decision = await decide(tx, firing);
  switch (decision.kind) {
    case "pass":
    case "switch_off":
      return { kind: "passed" };
    case "skip":
      return await skip(tx, firing, {
        reason: decision.reason,
        sentence: skipSentence(decision.reason, firing.target.name),
      });
    case "hand_over":
      return await send(tx, firing, true);
    case "send": {
      const obstacle = decision.wakes ? await wake(tx, firing) : null;
      if (obstacle !== null)
        return await skip(tx, firing, { reason: "paused", sentence: obstacle });
      return await send(tx, firing, false);
    }
  }
}

async function decide(tx: Transaction, { row, target, cause }: Firing): Promise<FireDecision> {
  const hasAddress = target.providerAddr !== null || target.advertisedUrl !== "";
  return decideFire(
    {
      delivery: deliveryOf({ ...target, hasAddress }),
      runsItsOwn: await runsItsOwn(tx, row.workspaceId),
      isOverBudget: target.budgetLimit !== null && target.monthlySpend >= target.budgetLimit,
      hasWaitingRun: (await waitingRun(tx, row.id)) !== null,
    },
    cause,
  );
}

/** The newest run whose message is in the queue, and nothing of it has been sent. */
async function waitingRun(tx: Transaction, scheduleId: string): Promise<ScheduleRunRow | null> {
  const [found] = await ormOf(tx)
    .select({ run: scheduleRuns })
    .from(scheduleRuns)
    .innerJoin(a2aQueue, eq(a2aQueue.id, scheduleRuns.activityId))
    .where(
      and(
        eq(scheduleRuns.scheduleId, scheduleId),
        isNull(scheduleRuns.outcome),
        isNull(a2aQueue.dispatchedAt),
        isNull(a2aQueue.completedAt),
      ),
    )
    .limit(1);
  return found?.run ?? null;
}

/** Starts what sleeps; a sentence when something above it is paused. */
async function wake(tx: Transaction, { row, target }: Firing): Promise<string | null> {
  const actor: Actor = { kind: "platform", name: lowerFirst(nameOf(row)) };
  try {
    await setIntent(tx, { workspaceId: target.id, actor, to: "wake", wakesFor: "schedule" });
    return null;
  } catch (error) {
    if (isDomainError(error) && error.code === "conflict") return error.message;
    throw error;
  }
}

async function send(tx: Transaction, firing: Firing, isHandedOver: boolean): Promise<Fired> {
  const { row, cause, missed } = firing;
  const run = await addRun(tx, firing, cause === "catch_up" ? catchUpSentence(missed) : null);
  if (run === null) return { kind: "passed" };
  const messageId = scheduleMessageId(row.id, randomUUID());
  const activityId = isHandedOver
    ? await writeDown(tx, firing, messageId)
    : await enqueue(tx, firing, messageId);
  const orm = ormOf(tx);
  const [sent] = await orm
    .update(scheduleRuns)
    .set({ activityId, messageId })
    .where(eq(scheduleRuns.id, run.id))
    .returning();
  if (sent === undefined) throw new Error("invariant: a run that was just added is there");
  await orm
    .update(schedules)
    .set({ runCount: sql`${schedules.runCount} + 1`, lastRunAt: sql`cp_now()` })
    .where(eq(schedules.id, row.id));
  await tellSchedule(tx, row, "fired");
  await trimRuns(tx, row.id);
  if (isHandedOver) {
    // Whether the agent fetches it, the platform never hears; an answer of it counts as none.
    await endRun(tx, activityId, { status: "ok", isEmpty: false, error: null, durationMs: null });
  }
  return { kind: "sent", run: sent };
}

/** Null when this time of the schedule has its run already. */
async function addRun(
  tx: Transaction,
  { row, cause, dueAt, missed, actorName }: Firing,
  note: string | null,
): Promise<ScheduleRunRow | null> {
  const [run] = await ormOf(tx)
    .insert(scheduleRuns)
    .values({
      scheduleId: row.id,
      workspaceId: row.workspaceId,
      cause,
      dueAt,
      missed,
      prompt: row.prompt,
      actorName,
      startedAt: sql`cp_now()`,
      note,
    })
    .onConflictDoNothing()
    .returning();
  return run ?? null;
}

async function enqueue(tx: Transaction, firing: Firing, messageId: string): Promise<string> {
  const { target, actorName } = firing;
  const accepted = await acceptMessage(
    tx,
    {
      targetId: target.id,
      targetName: target.name,
      callerId: null,
      actorName,
      method: METHOD,
      messageId,
      envelope: envelopeOf(firing, messageId),
    },
    null,
  );
  if (accepted.kind !== "new") throw new Error("invariant: the message id was just drawn");
  return accepted.id;
}

/** The agent polls: the message is on its activity list and that is all. Source: contract §6.3. */
async function writeDown(tx: Transaction, firing: Firing, messageId: string): Promise<string> {
  const { target, actorName } = firing;
  await joinActivityOrder(tx, target.id);
  const row = await logActivity(tx, {
    workspaceId: target.id,
    type: "a2a_receive",
    status: "ok",
    targetId: target.id,
    method: METHOD,
    summary: `${METHOD} → ${target.name}`,
    requestBody: envelopeOf(firing, messageId),
    actorName,
    messageId,
  });
  if (row === null) throw new Error("invariant: the message id was just drawn");
  return row.id;
}

const METHOD = "message/send";

function envelopeOf({ row, cause, dueAt, missed }: Firing, messageId: string) {
  return {
    jsonrpc: "2.0",
    id: messageId,
    method: METHOD,
    params: {
      message: {
        kind: "message",
        role: "user",
        messageId,
        parts: [{ kind: "text", text: row.prompt }],
        metadata: {
          source: "schedule",
          schedule_id: row.id,
          schedule_name: row.name,
          cause,
          due_at: dueAt.toISOString(),
          missed,
        },
      },
    },
  };
}

async function skip(
  tx: Transaction,
  firing: Firing,
  why: { readonly reason: ScheduleSkip; readonly sentence: string },
): Promise<Fired> {
  const skipped = { kind: "skipped", ...why } as const;
  if (firing.cause === "manual") return { ...skipped, run: null };
  const run = await addRun(tx, firing, why.sentence);
  if (run === null) return { kind: "passed" };
  const orm = ormOf(tx);
  const [ended] = await orm
    .update(scheduleRuns)
    .set({ outcome: "skipped", endedAt: sql`cp_now()` })
    .where(eq(scheduleRuns.id, run.id))
    .returning();
  await orm
    .update(schedules)
    .set({ lastStatus: "skipped", lastError: why.sentence })
    .where(eq(schedules.id, firing.row.id));
  await appendEvent(tx, {
    event: "CRON_SKIPPED",
    subjectId: firing.row.workspaceId,
    payload: {
      schedule_id: firing.row.id,
      schedule_name: firing.row.name,
      reason: why.sentence,
      code: why.reason,
    },
  });
  await trimRuns(tx, firing.row.id);
  return { ...skipped, run: ended ?? run };
}

function nameOf(row: ScheduleRow): string {
  return row.name === "" ? "Schedule" : `Schedule “${row.name}”`;
}

function lowerFirst(text: string): string {
  return `the ${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}
