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

const PHASES = ["NEW", "STOPPING", "CREATING", "BOOTING", "READY", "BACKOFF", "FAILED"];

it.each(PHASES)("restarts in %s, and the same click only once", async (phase) => {
  const id = await t.createWorkspace();
  await t.test.sql`UPDATE workspaces SET phase = ${phase}::phase, current_attempt = 1,
    deadline_at = cp_now() + interval '1 hour', crash_count = 4 WHERE id = ${id}`;
  const click = { headers: { "idempotency-key": `click-${phase}` } };
  const first = await post(id, "restart", click);
  expect(first).toMatchObject({
    status: 200,
    body: { config_dir: "existing-volume", reset_session: false },
  });
  expect(first.body.attempt).toBe(phase === "STOPPING" ? 1 : 2);
  expect((await post(id, "restart", click)).body.attempt).toBe(first.body.attempt);
  const [row] = await t.test.sql`SELECT force_seq::int AS clicks, crash_count FROM workspaces
    WHERE id = ${id}`;
  expect(row).toEqual({ clicks: 1, crash_count: 0 });
  await post(id, "restart");
  const [after] = await t.test.sql`SELECT force_seq::int AS clicks FROM workspaces
    WHERE id = ${id}`;
  expect(after?.clicks).toBe(2);
});

it("does not restart what rests or is removed", async () => {
  const paused = await t.createWorkspace();
  await t.test.sql`UPDATE workspaces SET phase = 'PAUSED', intent = 'paused' WHERE id = ${paused}`;
  expect((await post(paused, "restart")).status).toBe(409);
  for (const phase of ["DELETING", "DELETED"]) {
    const id = await t.createWorkspace();
    await t.call("DELETE", `/workspaces/${id}`);
    await t.test.sql`UPDATE workspaces SET phase = ${phase}::phase,
      deadline_at = cp_now() + interval '1 hour' WHERE id = ${id}`;
    expect((await post(id, "restart")).status).toBe(410);
  }
});

it("stops the tries of what waits for its next one, and says so of everything else", async () => {
  const id = await t.createWorkspace();
  expect(await post(id, "stop-trying")).toMatchObject({ status: 200, body: { stopped: false } });
  await t.test.sql`UPDATE workspaces SET phase = 'BACKOFF', current_attempt = 1,
    next_action_at = cp_now() + interval '1 hour' WHERE id = ${id}`;
  const answer = await post(id, "stop-trying");
  expect(answer).toEqual({ status: 200, body: { stopped: true, message: expect.any(String) } });
  const state = await t.call("GET", `/workspaces/${id}/state`);
  expect(await state.json()).toMatchObject({ status: "failed" });
  expect((await post(randomUUID(), "stop-trying")).status).toBe(404);
});

it("explains to an external agent's owner, and touches nothing", async () => {
  const id = await t.createWorkspace({ runtime: "external" });
  const before = await t.test.sql`SELECT w, k FROM workspaces w JOIN workspace_tokens k
    ON k.workspace_id = w.id WHERE w.id = ${id}`;
  const answer = await post(id, "restart", { body: { reset: true, template: "assistant" } });
  expect(answer).toMatchObject({
    status: 200,
    body: { attempt: null, reset_session: false, config_dir: "existing-volume" },
  });
  const after = await t.test.sql`SELECT w, k FROM workspaces w JOIN workspace_tokens k
    ON k.workspace_id = w.id WHERE w.id = ${id}`;
  expect(after).toEqual(before);
});

it("applies a template as one change that belongs to the click", async () => {
  const id = await t.createWorkspace({ name: "Nobody's name", template: "assistant" });
  const call = {
    body: { template: "reviewer" },
    headers: { "idempotency-key": "apply-reviewer" },
  };
  expect((await post(id, "restart", call)).body).toMatchObject({ config_dir: "reviewer" });
  expect((await post(id, "restart", call)).status).toBe(200);
  const [row] = await t.test.sql`SELECT template, desired_gen::int AS gen, force_seq::int AS clicks,
    config->>'instructions' AS instructions, config_version::int AS version
    FROM workspaces WHERE id = ${id}`;
  expect(row).toMatchObject({ template: "reviewer", gen: 2, clicks: 1, version: 2 });
  expect(row?.instructions).not.toBe("");
  const changes = await t.test.sql`SELECT DISTINCT gen::int AS gen FROM changes
    WHERE workspace_id = ${id}`;
  expect(changes).toEqual([{ gen: 2 }]);
  const named = await t.createWorkspace({ name: "Researcher", template: "assistant" });
  expect((await post(named, "restart", { body: { apply_template: true } })).body).toMatchObject({
    config_dir: "researcher",
  });
  const plain = await t.createWorkspace({ name: "Plain" });
  expect((await post(plain, "restart", { body: { apply_template: true } })).body).toMatchObject({
    config_dir: "existing-volume",
  });
});

it("remembers a reset and a rebuild until a start carries them", async () => {
  const id = await t.createWorkspace();
  const done = await post(id, "restart?reset=true", { body: { rebuild_config: true } });
  expect(done.body).toMatchObject({ reset_session: true });
  expect(String(done.body.message)).toContain("folders are replaced");
  await post(id, "restart");
  const [row] = await t.test.sql`SELECT reset_wanted, rebuild_wanted FROM workspaces
    WHERE id = ${id}`;
  expect(row).toEqual({ reset_wanted: true, rebuild_wanted: true });
});

it("refuses what it does not understand with a sentence, and changes nothing", async () => {
  const id = await t.createWorkspace();
  const wrong: [string, Parameters<TestApi["call"]>[2]][] = [
    ["restart", { body: { template: 5 } }],
    ["restart", { body: { template: "nope" } }],
    ["restart", { body: { template: "../../etc" } }],
    ["restart", { body: { template: "coder" } }],
    ["restart", { body: { reset: "yes" } }],
    ["restart", { body: { apply_template: 1 } }],
    ["restart", { body: { rebuild_config: {} } }],
    ["restart?reset=maybe", {}],
    ["restart", { headers: { "idempotency-key": "a b" } }],
  ];
  for (const [verb, call] of wrong) {
    const answer = await post(id, verb, call);
    expect([verb, call, answer.status]).toEqual([verb, call, 400]);
    expect(String(answer.body.error)).toMatch(/\w+ \w+/);
  }
  const [row] = await t.test.sql`SELECT force_seq::int AS clicks, desired_gen::int AS gen
    FROM workspaces WHERE id = ${id}`;
  expect(row).toEqual({ clicks: 0, gen: 1 });
});
