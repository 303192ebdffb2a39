import { type Database, openDatabase } from "@molecule/db/database";
import { fireDue } from "@molecule/db/schedules/fire-schedule";
import { insertSchedule, type ScheduleRow } from "@molecule/db/schedules/schedule-rows";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Log, SILENT_LOG } from "../runtime/log.ts";
import { Scheduler, type SchedulerOptions } from "./scheduler.ts";

const CONFIG = {
  model: null,
  provider: null,
  instructions: "",
  description: "",
  requiredEnv: [],
  starterPrompts: [],
  extra: {},
};
const HOUR = 3_600_000;

let test: TestDatabase;
const schedulers: Scheduler[] = [];
const pools: Database[] = [];

beforeAll(async () => {
  test = await createTestDatabase();
});
afterEach(async () => {
  for (const scheduler of schedulers.splice(0)) await scheduler.stop();
  for (const pool of pools.splice(0)) await pool.close();
  await test.setSkewMs(0);
  await test.sql`DELETE FROM workspaces`;
});
afterAll(() => test.close());

/** A worker's scheduler with a pool of its own; stopped after the test. */
function worker(name: string, options: Partial<SchedulerOptions> = {}): Scheduler {
  const db = openDatabase({ url: test.url, applicationName: name, maxConnections: 2 });
  pools.push(db);
  const scheduler = new Scheduler({ db, everyMs: 20, log: SILENT_LOG, ...options });
  schedulers.push(scheduler);
  return scheduler;
}

/**
 * A worker that has fired this schedule and is killed before its commit: it does nothing more, and its
 * connections end as those of a dead process do.
 */
async function doomedWorker(scheduleId: string) {
  const db = openDatabase({ url: test.url, applicationName: "doomed", maxConnections: 1 });
  pools.push(db);
  const { wait, isReached } = gate();
  const work = db.transaction(async (tx) => {
    await fireDue(tx, scheduleId);
    await wait();
  });
  // Heard from the beginning: the connection may end before the killing statement has been answered.
  const end = work.then(
    () => "committed",
    () => "broken off",
  );
  await waitUntil("it has fired", () => isReached());
  const kill = async () => {
    await test.sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'doomed'`;
    expect(await end).toBe("broken off");
  };
  return { kill };
}

/** Somebody stands at `wait` until `open`. */
function gate() {
  let open = (): void => undefined;
  let arrived = false;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const wait = async () => {
    arrived = true;
    await opened;
  };
  return { open, wait, isReached: () => arrived };
}

async function schedules(count: number): Promise<ScheduleRow[]> {
  const rows: ScheduleRow[] = [];
  for (let n = 0; n < count; n += 1) {
    const [made] = await test.sql`
      INSERT INTO workspaces (name, runtime, backend, config, phase, applied_gen)
      VALUES (${`Clerk ${n}`}, 'demo', 'process', ${test.sql.json(CONFIG)}, 'READY', 1) RETURNING id`;
    rows.push(
      await test.db.transaction((tx) =>
        insertSchedule(tx, String(made?.id), {
          name: `Report ${n}`,
          cronExpr: "0 * * * *",
          timezone: "UTC",
          prompt: "Write it",
          enabled: true,
          source: "runtime",
        }),
      ),
    );
  }
  return rows;
}

/** The clock of everybody goes to this long after the next full hour of `row`. */
async function pass(row: ScheduleRow | undefined, hours: number): Promise<void> {
  const due = row?.nextRunAt?.getTime() ?? 0;
  await test.setSkewMs(due + hours * HOUR + 1_000 - Date.now());
}

/** Messages and runs that have been committed, and schedules that are still due. */
async function counts() {
  const [row] = await test.sql`
    SELECT (SELECT count(*)::int FROM a2a_queue) AS messages,
      (SELECT count(*)::int FROM schedule_runs) AS runs,
      (SELECT count(*)::int FROM schedules WHERE next_action_at <= cp_now()) AS due`;
  return { messages: row?.messages, runs: row?.runs, due: row?.due };
}

describe("schedulers", () => {
  it("SC6 three of them fire twenty schedules once each, hour after hour", async () => {
    const rows = await schedules(20);
    for (const name of ["one", "two", "three"]) worker(name);
    for (const hour of [0, 1, 2]) {
      await pass(rows[0], hour);
      await waitUntil("nothing is due", async () => (await counts()).due === 0);
      expect(await counts()).toEqual({ messages: 20 * (hour + 1), runs: 20 * (hour + 1), due: 0 });
      // The agents have taken what waited, so the next hour is a message of its own.
      await test.sql`UPDATE a2a_queue SET status = 'completed', completed_at = cp_now(),
        dispatched_at = cp_now(), next_action_at = NULL`;
      await test.sql`UPDATE schedule_runs SET outcome = 'ok', ended_at = cp_now()`;
    }
    const perTime = await test.sql`SELECT count(*)::int AS n FROM schedule_runs
      GROUP BY schedule_id, due_at`;
    expect(perTime.every((row) => row.n === 1)).toBe(true);
  }, 60_000);

  it("SC6 a worker that is killed before its commit has sent nothing, and another one sends it once", async () => {
    const [row] = await schedules(1);
    await pass(row, 0);
    const doomed = await doomedWorker(row?.id ?? "");
    let looks = 0;
    worker("heir", {
      onStep: async (step) => {
        if (step === "found") looks += 1;
      },
    });
    await waitUntil("the other one has looked at it again and again", () => looks >= 3);
    expect(await counts()).toEqual({ messages: 0, runs: 0, due: 1 });
    await doomed.kill();
    await waitUntil("the other one has sent it", async () => (await counts()).due === 0);
    expect(await counts()).toEqual({ messages: 1, runs: 1, due: 0 });
  }, 60_000);

  it("SC6 a worker that comes back after another one has fired sends nothing", async () => {
    const [row] = await schedules(1);
    const stands = gate();
    worker("slow", { onStep: (step) => (step === "found" ? stands.wait() : Promise.resolve()) });
    await pass(row, 0);
    await waitUntil("the first has found it", () => stands.isReached());
    worker("fast");
    await waitUntil("the other one has sent it", async () => (await counts()).due === 0);
    stands.open();
    for (const scheduler of schedulers.splice(0)) await scheduler.stop();
    expect(await counts()).toEqual({ messages: 1, runs: 1, due: 0 });
  }, 60_000);

  it("SC5 after a night without the platform each schedule runs once", async () => {
    const rows = await schedules(5);
    await pass(rows[0], 9);
    worker("morning");
    await waitUntil("nothing is due", async () => (await counts()).due === 0);
    expect(await counts()).toEqual({ messages: 5, runs: 5, due: 0 });
    const seen = await test.sql`SELECT DISTINCT cause, missed FROM schedule_runs`;
    expect(seen).toEqual([{ cause: "catch_up", missed: 9 }]);
  }, 60_000);

  it("SC13 a schedule that cannot be fired is postponed and keeps no other from it", async () => {
    const [broken] = await schedules(3);
    await test.sql`UPDATE schedules SET cron_expr = 'nonsense' WHERE id = ${broken?.id ?? ""}`;
    const warned: string[] = [];
    const log: Log = { ...SILENT_LOG, warn: (_fields, message) => void warned.push(message) };
    await pass(broken, 0);
    worker("only", { log });
    await waitUntil("nothing is due", async () => (await counts()).due === 0);
    expect(await counts()).toEqual({ messages: 2, runs: 2, due: 0 });
    expect(warned).toHaveLength(1);
    const [row] = await test.sql`SELECT next_action_at > cp_now() AS later, enabled FROM schedules
      WHERE id = ${broken?.id ?? ""}`;
    expect(row).toEqual({ later: true, enabled: true });
  }, 60_000);
});
