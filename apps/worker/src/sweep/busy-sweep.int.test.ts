import { clearPhantomBusy } from "@molecule/db/sweep/phantom-busy";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startBusySweep } from "./busy-sweep.ts";

const CONFIG = {
  model: null,
  provider: null,
  instructions: "",
  description: "",
  requiredEnv: [],
  starterPrompts: [],
  extra: {},
};
const OLD = "11 minutes";
const NEW = "9 minutes";

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.close());

/** An agent that said it works on one task so long ago, and has beaten a moment ago. */
async function busy(saidAgo: string): Promise<string> {
  const [row] = await test.sql`
    INSERT INTO workspaces (name, runtime, backend, config, phase)
    VALUES ('Ada', 'demo', 'process', ${test.sql.json(CONFIG)}, 'READY') RETURNING id`;
  const id = String(row?.id);
  await test.sql`
    INSERT INTO liveness (workspace_id, active_tasks, current_task, current_task_at, worked_at)
    VALUES (${id}, 1, 'reading', cp_now(), cp_now() - ${saidAgo}::interval)`;
  return id;
}
const row = async (of: string, type: string, ago: string, more: Record<string, string> = {}) => {
  await test.sql`
    INSERT INTO activity ${test.sql({ workspace_id: of, activity_type: type, ...more })}`;
  await test.sql`
    UPDATE activity SET created_at = cp_now() - ${ago}::interval, updated_at = cp_now() - ${ago}::interval
    WHERE workspace_id = ${of}`;
};
const tasksOf = async (id: string) => {
  const [found] = await test.sql`
    SELECT active_tasks, current_task FROM liveness WHERE workspace_id = ${id}`;
  return { tasks: found?.active_tasks, text: found?.current_task };
};
const sweep = () => test.db.transaction(clearPhantomBusy);

it("G15: frees what nobody has called busy for ten minutes, once, and says why", async () => {
  const silent = await busy(OLD);
  const recent = await busy(NEW);
  const waiting = await test.sql`
    INSERT INTO a2a_queue (workspace_id, body, method, next_action_at)
    VALUES (${silent}, '{}', 'message/send', cp_now() + interval '1 hour') RETURNING id`;
  expect(await sweep()).toBe(1);
  expect(await sweep()).toBe(0);
  expect(await tasksOf(silent)).toEqual({ tasks: 0, text: "" });
  expect(await tasksOf(recent)).toEqual({ tasks: 1, text: "reading" });
  const told = await test.sql`
    SELECT event, payload FROM events WHERE subject_id = ${silent} ORDER BY id`;
  expect(told.map(({ event }) => event)).toEqual([
    "TASK_UPDATED",
    "SWEEP_ACTED",
    "ACTIVITY_LOGGED",
  ]);
  expect(told[1]?.payload).toMatchObject({
    action: "busy_cleared",
    rule: "G15",
    workspace_id: silent,
    evidence: { active_tasks: 1, had_task_text: true, silent_seconds: 660 },
  });
  const [note] = await test.sql`
    SELECT summary, response_body FROM activity WHERE workspace_id = ${silent}`;
  expect(note?.summary).toBe(
    "It counted as busy, and nothing was heard of that work for 11 minutes; it counts as idle again. (rule G15)",
  );
  expect(note?.response_body).toMatchObject({ rule: "G15", evidence: { active_tasks: 1 } });
  const [item] = await test.sql`
    SELECT next_action_at <= cp_now() AS due FROM a2a_queue WHERE id = ${waiting[0]?.id}`;
  expect(item?.due).toBe(true);
});

it("G15: leaves alone whoever shows any sign of work", async () => {
  const writes = await busy(OLD);
  await row(writes, "agent_log", NEW);
  const sends = await busy(OLD);
  const peer = await busy(NEW);
  await row(peer, "a2a_receive", NEW, { source_id: sends });
  const isCalled = await busy(OLD);
  await test.sql`
    INSERT INTO a2a_queue (workspace_id, body, method, status, lease_owner, lease_until)
    VALUES (${isCalled}, '{}', 'message/send', 'dispatched', 'a server', cp_now() + interval '10 seconds')`;
  expect(await sweep()).toBe(0);
  // Signs that are too old, and what the platform notes itself, are none.
  const stale = await busy(OLD);
  await row(stale, "agent_log", OLD);
  const noted = await busy(OLD);
  await row(noted, "lifecycle", NEW);
  expect(await sweep()).toBe(2);
  for (const id of [stale, noted]) expect(await tasksOf(id)).toMatchObject({ tasks: 0 });
});

it("G15: is done by a loop of the worker, which any number of workers may run", async () => {
  const ids = await Promise.all([busy(OLD), busy(OLD), busy(OLD)]);
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const ticks: string[] = [];
  const options = {
    db: test.db,
    timeScale: 0,
    log: log as never,
    pulse: { tick: (name: string) => void ticks.push(name) } as never,
  };
  const stops = [startBusySweep(options), startBusySweep(options)];
  await waitUntil("all are idle", async () => {
    const tasks = await Promise.all(ids.map(tasksOf));
    return tasks.every((one) => one.tasks === 0);
  });
  for (const stop of stops) await stop();
  const told = await test.sql`
    SELECT subject_id FROM events WHERE event = 'SWEEP_ACTED' AND subject_id = ANY(${ids}::uuid[])`;
  expect(told).toHaveLength(ids.length);
  expect(ticks).toContain("phantom busy");
});
