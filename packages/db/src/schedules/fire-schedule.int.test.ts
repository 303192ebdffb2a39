import type { ScheduleOutcome } from "@molecule/domain/sets";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { markSending } from "../queue/a2a-queue.ts";
import { endDelivery } from "../queue/end-delivery.ts";
import { findDueSchedules, fireDue, fireNow } from "./fire-schedule.ts";
import {
  deleteSchedule,
  insertSchedule,
  listRuns,
  requireSchedule,
  type ScheduleWishes,
  updateSchedule,
} from "./schedule-rows.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const CONFIG = {
  model: null,
  provider: null,
  instructions: "",
  description: "",
  requiredEnv: [],
  starterPrompts: [],
  extra: {},
};
const ADA = { kind: "member", id: "1", name: "Ada" } as const;

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterEach(async () => {
  await test.setSkewMs(0);
  await test.sql`DELETE FROM workspaces`;
});
afterAll(() => test.close());

/** A workspace in some state; up and reachable when nothing is said. */
async function workspace(state: Record<string, unknown> = {}): Promise<string> {
  const row = {
    name: "Clerk",
    runtime: "demo",
    backend: "process",
    config: test.sql.json(CONFIG),
    phase: "READY",
    applied_gen: 1,
    ...state,
  };
  const [made] = await test.sql`INSERT INTO workspaces ${test.sql(row)} RETURNING id`;
  return String(made?.id);
}

async function schedule(workspaceId: string, wishes: Partial<ScheduleWishes> = {}) {
  return await test.db.transaction((tx) =>
    insertSchedule(tx, workspaceId, {
      name: "Report",
      cronExpr: "0 * * * *",
      timezone: "UTC",
      prompt: "Write the report",
      enabled: true,
      source: "runtime",
      ...wishes,
    }),
  );
}

const fire = (id: string) => test.db.transaction((tx) => fireDue(tx, id));
const runs = (id: string) => listRuns(test.db, id, 20);
const read = (row: { readonly id: string; readonly workspaceId: string }) =>
  requireSchedule(test.db, row);

/** Moves the clock to this long after the schedule's next run. */
async function pass(row: { nextRunAt: Date | null }, afterMs = 0): Promise<void> {
  await test.setSkewMs((row.nextRunAt?.getTime() ?? 0) - Date.now() + 100 + afterMs);
}

async function queued(workspaceId: string) {
  return await test.sql`
    SELECT id, status, body, idempotency_key FROM a2a_queue WHERE workspace_id = ${workspaceId}
    ORDER BY enqueued_at`;
}

async function eventsOf(workspaceId: string, name: string) {
  const rows = await test.sql`
    SELECT payload FROM events WHERE subject_id = ${workspaceId} AND event = ${name} ORDER BY id`;
  return rows.map((row) => row.payload as Record<string, unknown>);
}

/** Delivers what waits and answers it, as a server does. */
async function answer(workspaceId: string, text: string | null, error: string | null = null) {
  const [item] = await test.sql`
    UPDATE a2a_queue SET status = 'dispatched', lease_owner = 'me', lease_until = cp_now() + interval '1 h'
    WHERE workspace_id = ${workspaceId} AND status = 'queued' RETURNING id`;
  const held = { id: String(item?.id), owner: "me" };
  await test.db.transaction((tx) => markSending(tx, { ...held, workspaceId, isNote: false }));
  const parts = text === null ? [] : [{ kind: "text", text }];
  await test.db.transaction((tx) =>
    endDelivery(tx, held, {
      status: error === null ? "ok" : "error",
      responseBody: { result: { parts } },
      toolTrace: null,
      errorDetail: error,
      replyText: text ?? "",
      durationMs: 1234,
      wasNeverSent: false,
      isForPerson: true,
    }),
  );
}

describe("a schedule whose time has come", () => {
  it("SC6 queues its message and moves on, in one transaction and once", async () => {
    const id = await workspace();
    const made = await schedule(id);
    expect(await findDueSchedules(test.db, 10)).toEqual([]);
    expect(await fire(made.id)).toBeNull();
    await pass(made);
    expect(await findDueSchedules(test.db, 10)).toEqual([made.id]);
    await expect(
      test.db.transaction(async (tx) => {
        await fireDue(tx, made.id);
        throw new Error("killed before the commit");
      }),
    ).rejects.toThrow("killed");
    expect(await queued(id)).toEqual([]);
    expect(await findDueSchedules(test.db, 10)).toEqual([made.id]);

    expect(await fire(made.id)).toMatchObject({ kind: "sent" });
    expect(await fire(made.id)).toBeNull();
    const after = await read(made);
    expect(after.nextRunAt?.getTime()).toBe((made.nextRunAt?.getTime() ?? 0) + HOUR);
    expect(after).toMatchObject({ runCount: 1, lastStatus: null });
    const [item, ...more] = await queued(id);
    expect(more).toEqual([]);
    expect(item?.idempotency_key).toMatch(new RegExp(`^cron-${made.id.slice(0, 8)}-[0-9a-f]{8}$`));
    expect(item?.body).toMatchObject({
      method: "message/send",
      params: {
        message: {
          role: "user",
          messageId: item?.idempotency_key,
          parts: [{ kind: "text", text: "Write the report" }],
          metadata: { source: "schedule", schedule_id: made.id, cause: "due", missed: 0 },
        },
      },
    });
    const [run] = await runs(made.id);
    expect(run).toMatchObject({ activityId: item?.id, cause: "due", outcome: null, note: null });
    expect(await eventsOf(id, "SCHEDULE_UPDATED")).toMatchObject([
      { change: "created" },
      { schedule_id: made.id, schedule_name: "Report", change: "fired" },
    ]);
  });

  it("SC6 has one run for one time, also when its next run is set back", async () => {
    const id = await workspace();
    const made = await schedule(id);
    await pass(made);
    await fire(made.id);
    await answer(id, "done");
    await test.sql`UPDATE schedules SET next_run_at = ${made.nextRunAt}, next_action_at = ${made.nextRunAt}
      WHERE id = ${made.id}`;
    expect(await fire(made.id)).toEqual({ kind: "passed" });
    expect(await queued(id)).toHaveLength(1);
    expect(await runs(made.id)).toHaveLength(1);
  });

  it("SC5 runs once for all the times that were missed, and says so", async () => {
    const id = await workspace();
    const made = await schedule(id);
    await pass(made, 5 * HOUR + MINUTE);
    expect(await fire(made.id)).toMatchObject({ kind: "sent" });
    expect(await fire(made.id)).toBeNull();
    expect(await queued(id)).toHaveLength(1);
    const [run] = await runs(made.id);
    expect(run).toMatchObject({ cause: "catch_up", missed: 5 });
    expect(run?.note).toContain("stands for 5 later times");
    expect(run?.dueAt).toEqual(made.nextRunAt);
    const after = await read(made);
    expect(after.nextRunAt?.getTime()).toBe((made.nextRunAt?.getTime() ?? 0) + 6 * HOUR);
  });

  it("SC7 keeps its message for an agent that is not there yet, and adds no second one", async () => {
    const id = await workspace({ phase: "BOOTING", deadline_at: new Date(Date.now() + HOUR) });
    const made = await schedule(id);
    await pass(made);
    expect(await fire(made.id)).toMatchObject({ kind: "sent" });
    await pass(made, HOUR);
    expect(await fire(made.id)).toMatchObject({ kind: "skipped", reason: "still_waiting" });
    expect(await queued(id)).toHaveLength(1);
    expect((await runs(made.id)).map((run) => run.outcome)).toEqual(["skipped", null]);
    // Once the agent has it, the next time is a message of its own.
    await test.sql`UPDATE a2a_queue SET status = 'dispatched', dispatched_at = cp_now()`;
    await pass(made, 2 * HOUR);
    expect(await fire(made.id)).toMatchObject({ kind: "sent" });
    expect(await queued(id)).toHaveLength(2);
  });

  it("SC8 passes where the runtime runs schedules itself", async () => {
    const id = await workspace();
    await test.sql`INSERT INTO liveness (workspace_id, capabilities)
      VALUES (${id}, ${test.sql.json({ scheduler: true })})`;
    const made = await schedule(id);
    await pass(made);
    expect(await fire(made.id)).toEqual({ kind: "passed" });
    expect(await queued(id)).toEqual([]);
    expect(await runs(made.id)).toEqual([]);
    expect((await read(made)).nextRunAt?.getTime()).toBe((made.nextRunAt?.getTime() ?? 0) + HOUR);
  });

  it.each([
    ["paused", { intent: "paused", phase: "PAUSED" }, "Clerk is paused."],
    ["failed", { phase: "FAILED" }, "Clerk could not be started."],
    ["budget", { budget_limit: 5, monthly_spend: 5 }, "The monthly budget of Clerk is used up."],
  ])("SC9 is skipped with its reason: %s", async (reason, state, sentence) => {
    const id = await workspace(state);
    const made = await schedule(id);
    await pass(made);
    expect(await fire(made.id)).toMatchObject({ kind: "skipped", reason, sentence });
    expect(await queued(id)).toEqual([]);
    expect((await runs(made.id))[0]).toMatchObject({ outcome: "skipped", note: sentence });
    expect(await read(made)).toMatchObject({
      lastStatus: "skipped",
      lastError: sentence,
      runCount: 0,
      enabled: true,
    });
    expect(await eventsOf(id, "CRON_SKIPPED")).toEqual([
      { schedule_id: made.id, schedule_name: "Report", reason: sentence, code: reason },
    ]);
  });

  it("SC9 wakes an agent that sleeps, with the reason of its schedule", async () => {
    const id = await workspace({ intent: "hibernated", phase: "PAUSED" });
    const made = await schedule(id);
    await pass(made);
    expect(await fire(made.id)).toMatchObject({ kind: "sent" });
    const [row] = await test.sql`SELECT intent, start_reason FROM workspaces WHERE id = ${id}`;
    expect(row).toEqual({ intent: "run", start_reason: "schedule" });
    expect(await queued(id)).toHaveLength(1);
    const [told] = await test.sql`SELECT summary FROM activity
      WHERE workspace_id = ${id} AND activity_type = 'lifecycle'`;
    expect(told?.summary).toBe("Woken by the schedule “Report”");
  });

  it("SC9 wakes nothing below a paused team", async () => {
    const parent = await workspace({ name: "Team", intent: "paused", phase: "PAUSED" });
    const id = await workspace({ intent: "hibernated", phase: "PAUSED", parent_id: parent });
    const made = await schedule(id);
    await pass(made);
    expect(await fire(made.id)).toMatchObject({ kind: "skipped", reason: "paused" });
    expect((await runs(made.id))[0]?.note).toContain("Team");
    expect(await queued(id)).toEqual([]);
  });

  it("SC9 is switched off when its agent is removed", async () => {
    const id = await workspace();
    const made = await schedule(id);
    await test.sql`UPDATE workspaces SET intent = 'deleted', removed_at = cp_now() WHERE id = ${id}`;
    await pass(made);
    expect(await fire(made.id)).toEqual({ kind: "passed" });
    expect(await read(made)).toMatchObject({ enabled: false, nextRunAt: null });
    expect(await findDueSchedules(test.db, 10)).toEqual([]);
  });

  it("SC9 is written down for an agent that polls", async () => {
    const id = await workspace({
      runtime: "external",
      backend: "external",
      delivery_mode: "poll",
      phase: "NEW",
    });
    const made = await schedule(id);
    await pass(made);
    expect(await fire(made.id)).toMatchObject({ kind: "sent" });
    expect(await queued(id)).toEqual([]);
    const rows = await test.sql`SELECT activity_type, status FROM activity
      WHERE workspace_id = ${id} ORDER BY seq`;
    expect(rows).toEqual([
      { activity_type: "a2a_receive", status: "ok" },
      { activity_type: "cron_run", status: "ok" },
    ]);
    expect(await read(made)).toMatchObject({ lastStatus: "ok", runCount: 1 });
  });
});

describe("a run", () => {
  it("SC10 ends with its message: its outcome, how long it took, a row and an event", async () => {
    const id = await workspace();
    const made = await schedule(id);
    const seen: (ScheduleOutcome | null)[] = [];
    let hours = 0;
    const end = async (text: string | null, error: string | null = null) => {
      await pass(made, hours * HOUR);
      hours += 1;
      await fire(made.id);
      await answer(id, text, error);
      seen.push((await read(made)).lastStatus);
    };
    await end("Here it is");
    await end(null, "The agent broke");
    expect(await read(made)).toMatchObject({ lastError: "The agent broke", emptyRuns: 0 });
    await end("  ");
    await end(null);
    await end(null);
    await end("Here it is again");
    expect(seen).toEqual(["ok", "error", "ok", "ok", "stale", "ok"]);
    expect(await read(made)).toMatchObject({ runCount: 6, emptyRuns: 0, lastError: null });
    const ended = await runs(made.id);
    expect(ended.map((run) => run.outcome)).toEqual(["ok", "stale", "ok", "ok", "error", "ok"]);
    expect(ended[4]).toMatchObject({ durationMs: 1234, note: "The agent broke" });
    const statuses = (await eventsOf(id, "CRON_EXECUTED")).map((payload) => payload.status);
    expect(statuses).toEqual(["ok", "error", "ok", "ok", "stale", "ok"]);
    const rows = await test.sql`SELECT status, summary, error_detail, duration_ms FROM activity
      WHERE workspace_id = ${id} AND activity_type = 'cron_run' ORDER BY seq LIMIT 2`;
    expect(rows).toEqual([
      { status: "ok", summary: "Schedule “Report”: run", error_detail: null, duration_ms: 1234 },
      {
        status: "error",
        summary: "Schedule “Report”: failed",
        error_detail: "The agent broke",
        duration_ms: 1234,
      },
    ]);
  });

  it("SC11 that a person asks for comes at once, and a second click is the same while it waits", async () => {
    const id = await workspace();
    const made = await schedule(id, { enabled: false });
    const run = () => test.db.transaction((tx) => fireNow(tx, made.id, ADA));
    const first = await run();
    const second = await run();
    expect(first).toMatchObject({ kind: "sent", run: { cause: "manual" } });
    expect(second).toMatchObject({ kind: "sent", run: { id: first?.run?.id } });
    expect(await queued(id)).toHaveLength(1);
    expect(await read(made)).toMatchObject({ enabled: false, nextRunAt: null, runCount: 1 });
    await answer(id, "done");
    await run();
    expect(await queued(id)).toHaveLength(2);
  });

  it("SC11 that cannot be is told to the person and leaves no row", async () => {
    const id = await workspace({ intent: "paused", phase: "PAUSED" });
    const made = await schedule(id);
    const told = await test.db.transaction((tx) => fireNow(tx, made.id, ADA));
    expect(told).toMatchObject({ kind: "skipped", sentence: "Clerk is paused.", run: null });
    expect(await runs(made.id)).toEqual([]);
    expect(await read(made)).toMatchObject({ lastStatus: null });
  });
});

describe("a change", () => {
  it("SC12 counts from now and makes up for nothing", async () => {
    const id = await workspace();
    const made = await schedule(id);
    await pass(made, 3 * HOUR);
    const change = (wishes: Partial<ScheduleWishes>) =>
      test.db.transaction((tx) => updateSchedule(tx, made, wishes));
    const renamed = await change({ name: "Other", prompt: "Else" });
    expect(renamed.nextRunAt).toEqual(made.nextRunAt);
    expect(await change({ enabled: false })).toMatchObject({ nextRunAt: null, nextActionAt: null });
    const on = await change({ enabled: true });
    expect(on.nextRunAt?.getTime()).toBe((made.nextRunAt?.getTime() ?? 0) + 4 * HOUR);
    const zoned = await change({ timezone: "Asia/Kolkata" });
    expect(zoned.nextRunAt?.getUTCMinutes()).toBe(30);
    expect(await fire(made.id)).toBeNull();
  });

  it("SC1 SC4 that is not possible is refused with the field, and changes nothing", async () => {
    const id = await workspace();
    const made = await schedule(id);
    const change = (wishes: Partial<ScheduleWishes>) =>
      test.db.transaction((tx) => updateSchedule(tx, made, wishes));
    for (const [wishes, field] of [
      [{ cronExpr: "61 * * * *" }, "cron_expr"],
      [{ cronExpr: "0 0 30 2 *" }, "cron_expr"],
      [{ timezone: "Mars/Olympus" }, "timezone"],
    ] as const) {
      await expect(change(wishes)).rejects.toMatchObject({
        code: "bad_request",
        details: { field },
      });
    }
    expect(await read(made)).toEqual(made);
    const other = { workspaceId: await workspace(), id: made.id };
    await expect(test.db.transaction((tx) => deleteSchedule(tx, other))).rejects.toMatchObject({
      code: "not_found",
    });
    await test.db.transaction((tx) => deleteSchedule(tx, made));
    await expect(read(made)).rejects.toMatchObject({ code: "not_found" });
  });
});
