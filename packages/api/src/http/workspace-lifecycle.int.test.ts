import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runAt } from "../a2a/test-agent.fixture.ts";
import { createTestApi, type TestApi } from "../api.fixture.ts";

let t: TestApi;

beforeAll(async () => {
  t = await createTestApi();
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

const post = async (id: string, verb: string, call: Parameters<TestApi["call"]>[2] = {}) => {
  const response = await t.call("POST", `/workspaces/${id}/${verb}`, call);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const intentsOf = async (...ids: string[]) => {
  const rows = await t.test.sql`SELECT id, intent FROM workspaces`;
  return ids.map((id) => rows.find((row) => row.id === id)?.intent);
};

it("puts to sleep only what is up, and a working one only by force", async () => {
  const id = await t.createWorkspace();
  expect((await post(id, "hibernate")).status).toBe(404);
  await runAt(t, id, "127.0.0.1:9");
  await t.test.sql`UPDATE liveness SET active_tasks = 2 WHERE workspace_id = ${id}`;
  const busy = await post(id, "hibernate");
  expect(busy).toMatchObject({ status: 409, body: { active_tasks: 2 } });
  expect(await intentsOf(id)).toEqual(["run"]);
  const forced = await post(id, "hibernate?force=true");
  expect(forced).toEqual({ status: 200, body: { status: "hibernated" } });
  const state = await t.call("GET", `/workspaces/${id}/state`);
  expect(await state.json()).toMatchObject({ status: "hibernating", paused: false });
  expect((await post(id, "hibernate")).status).toBe(404);
  expect((await post(randomUUID(), "hibernate")).status).toBe(404);
  expect((await post(await t.createWorkspace({ runtime: "external" }), "hibernate")).status).toBe(
    404,
  );
});

it("puts one to sleep and not its team, and resuming wakes nobody else who sleeps", async () => {
  const lead = await t.createWorkspace();
  const asleep = await t.createWorkspace({ parent_id: lead });
  const paused = await t.createWorkspace({ parent_id: lead });
  for (const id of [lead, asleep, paused]) await runAt(t, id, "127.0.0.1:9");
  expect((await post(lead, "hibernate")).status).toBe(200);
  expect((await post(asleep, "hibernate")).status).toBe(200);
  expect((await post(paused, "pause")).status).toBe(200);
  expect(await intentsOf(lead, asleep, paused)).toEqual(["hibernated", "hibernated", "paused"]);
  const resumed = await post(lead, "resume");
  expect(resumed.body).toEqual({ status: "provisioning", resumed_count: 2 });
  expect(await intentsOf(lead, asleep, paused)).toEqual(["run", "hibernated", "run"]);
  const events = await t.test.sql`SELECT event FROM events WHERE subject_id = ${asleep}
    AND event = 'WORKSPACE_HIBERNATED'`;
  expect(events).toHaveLength(0);
});
