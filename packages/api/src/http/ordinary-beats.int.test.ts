import { createHash } from "node:crypto";
import { openDatabase } from "@molecule/db/database";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";

let api: TestApi;
let id: string;
let token: string;
const statements: string[] = [];

beforeAll(async () => {
  api = await createTestApi({
    openDb: (url) =>
      openDatabase({ url, applicationName: "test", onStatement: (text) => statements.push(text) }),
  });
  // Nothing but what a test calls may speak to the database.
  await api.deps.dispatcher.stop(0);
});
afterAll(async () => await api[Symbol.asyncDispose]());

beforeEach(async () => {
  id = await api.createWorkspace({ name: "Ada" });
  token = `wst_${id}`;
  const digest = createHash("sha256").update(token).digest();
  await api.test.sql`INSERT INTO attempts (workspace_id, no, reason, detail, actor_kind, actor_name,
    lease_epoch, snap_gen, snap_force) VALUES (${id}, 1, 'create',
    '{"sentence":"","merged":[],"absorbed":[]}', 'admin', 'test', 1, 1, 0)`;
  await api.test.sql`UPDATE workspaces SET current_attempt = 1, phase = 'BOOTING',
    deadline_at = cp_now() + interval '1 minute' WHERE id = ${id}`;
  await api.test
    .sql`INSERT INTO workspace_tokens (workspace_id, attempt_no, kind, token_sha256, prefix)
    VALUES (${id}, 1, 'attempt', ${digest}, 'x')`;
  await api.call("POST", "/registry/register", {
    token,
    body: { id, url: "http://10.1.2.3:8000", agent_card: { name: "Ada" } },
  });
  expect((await beat({ active_tasks: 0, current_task: "" })).status).toBe(200);
  await backdate();
  statements.splice(0);
});

const beat = (body: object = {}, bearer: string = token) =>
  api.call("POST", "/registry/heartbeat", { token: bearer, body: { workspace_id: id, ...body } });
const live = async () => {
  const [found] = await api.test.sql`
    SELECT *, last_heartbeat_at > now() - interval '1 minute' AS is_fresh FROM liveness
    WHERE workspace_id = ${id}`;
  return found ?? {};
};
const row = async () =>
  (await api.test.sql`SELECT health, phase FROM workspaces WHERE id = ${id}`)[0] ?? {};
const backdate = () => api.test.sql`
  UPDATE liveness SET last_heartbeat_at = now() - interval '10 minutes' WHERE workspace_id = ${id}`;
/**
 * Without the driver's own questions, the tail of the event log and the hints to it, which follow what was
 * told before by some milliseconds and belong to no request. What a beat tells is a statement of its own.
 */
const asked = () =>
  statements.filter((text) => !/pg_catalog|LISTEN|pg_notify|FROM "?events/i.test(text));

describe("a beat that only says “still here”", () => {
  it("is one statement with the proof of its token, and answers as any other", async () => {
    const first = await beat({ active_tasks: 0, current_task: "", uptime_seconds: 60 });
    expect(first.status).toBe(200);
    expect(await first.json()).toEqual({
      status: "ok",
      platform_inbound_secret: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(first.headers.get("x-ratelimit-limit")).not.toBeNull();
    expect(await live()).toMatchObject({ is_fresh: true, uptime_seconds: 60, attempt_no: "1" });
    expect(asked()).toHaveLength(1);
  });

  it("notes the last use of its token", async () => {
    await api.test.sql`UPDATE workspace_tokens SET last_used_at = NULL WHERE workspace_id = ${id}`;
    await beat();
    const [kept] = await api.test.sql`
      SELECT last_used_at FROM workspace_tokens WHERE workspace_id = ${id}`;
    expect(kept?.last_used_at).not.toBeNull();
  });

  it.each([
    ["another task", { current_task: "reading" }, { current_task: "reading" }],
    ["more tasks", { active_tasks: 2 }, { active_tasks: 2 }],
    ["an error rate", { error_rate: 0.25 }, { error_rate: 0.25 }],
    ["a last error", { sample_error: "oh" }, { sample_error: "oh" }],
    [
      "capabilities",
      { runtime_metadata: { capabilities: { session: true } } },
      { capabilities: { session: true } },
    ],
    [
      "a silence to wait",
      { runtime_metadata: { idle_timeout_seconds: 900 } },
      { idle_timeout_seconds: 900 },
    ],
  ])("takes the whole way with %s, and then that is the ordinary one", async (_, body, kept) => {
    expect((await beat(body)).status).toBe(200);
    expect(await live()).toMatchObject({ is_fresh: true, ...kept });
    expect(asked().length).toBeGreaterThan(1);
    if ("error_rate" in body) return;
    await backdate();
    statements.splice(0);
    await beat(body);
    expect(asked()).toHaveLength(1);
    expect(await live()).toMatchObject({ is_fresh: true, ...kept });
  });

  it("is not ordinary from an agent that was sick, and heals it", async () => {
    await beat({ runtime_state: "wedged" });
    expect(await row()).toMatchObject({ health: "degraded" });
    expect((await beat({ runtime_state: "" })).status).toBe(200);
    expect(await row()).toMatchObject({ health: "ok" });
  });

  it("is not ordinary while a message waits", async () => {
    await api.test.sql`
      INSERT INTO a2a_queue (workspace_id, body, method, idempotency_key, next_action_at)
      VALUES (${id}, '{}', 'message/send', 'm', cp_now() + interval '1 hour')`;
    await beat();
    const [item] = await api.test.sql`
      SELECT next_action_at <= cp_now() AS is_due FROM a2a_queue WHERE workspace_id = ${id}`;
    expect(item).toEqual({ is_due: true });
  });

  it.each([
    [
      "revoked",
      401,
      (at: string) => api.test.sql`
      UPDATE workspace_tokens SET revoked_at = now() WHERE workspace_id = ${at}`,
    ],
    [
      "of an older attempt",
      409,
      (at: string) => api.test.sql`
      UPDATE workspaces SET current_attempt = 2 WHERE id = ${at}`,
    ],
    [
      "of a removed workspace",
      410,
      (at: string) => api.test.sql`
      UPDATE workspaces SET intent = 'deleted' WHERE id = ${at}`,
    ],
  ])("is refused with a token %s although it passed before", async (_, status, change) => {
    expect((await beat()).status).toBe(200);
    await change(id);
    await backdate();
    expect((await beat()).status).toBe(status);
    expect(await live()).toMatchObject({ is_fresh: false });
  });

  it("moves no other workspace's time", async () => {
    const other = await api.createWorkspace({ name: "Bob" });
    const response = await beat({ workspace_id: other });
    expect(response.status).toBe(401);
    expect(await live()).toMatchObject({ is_fresh: false });
  });
});
