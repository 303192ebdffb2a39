import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runAt } from "../a2a/test-agent.fixture.ts";
import { createTestApi, type TestApi } from "../api.fixture.ts";

let api: TestApi;
let id: string;

beforeAll(async () => {
  api = await createTestApi();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});
beforeEach(async () => {
  id = await api.createWorkspace({ name: "Ada" });
});

/** A token of an attempt, as the reconciler would have stored it. */
async function attemptToken(no: number): Promise<string> {
  const token = `wst_${id}${no}`;
  const digest = createHash("sha256").update(token).digest();
  await api.test
    .sql`INSERT INTO workspace_tokens (workspace_id, attempt_no, kind, token_sha256, prefix)
    VALUES (${id}, ${no}, 'attempt', ${digest}, 'x')`;
  return token;
}

async function booting(): Promise<string> {
  await api.test.sql`INSERT INTO attempts (workspace_id, no, reason, detail, actor_kind, actor_name,
    lease_epoch, snap_gen, snap_force) VALUES (${id}, 1, 'create',
    '{"sentence":"","merged":[],"absorbed":[]}', 'admin', 'test', 1, 1, 0)`;
  await api.test.sql`UPDATE workspaces SET current_attempt = 1, phase = 'BOOTING',
    deadline_at = cp_now() + interval '1 minute' WHERE id = ${id}`;
  return await attemptToken(1);
}

const register = (token: string | null, body: object = {}) =>
  api.call("POST", "/registry/register", {
    token,
    body: { id, url: "http://10.1.2.3:8000", agent_card: { name: "Ada" }, ...body },
  });
const beat = (token: string | null, body: object = {}) =>
  api.call("POST", "/registry/heartbeat", { token, body: { workspace_id: id, ...body } });
const row = async () => {
  const [found] = await api.test.sql`SELECT * FROM workspaces WHERE id = ${id}`;
  return found ?? {};
};
const live = async () => {
  const [found] = await api.test.sql`SELECT * FROM liveness WHERE workspace_id = ${id}`;
  return found ?? {};
};
const eventNames = async () =>
  (await api.test.sql`SELECT event FROM events WHERE subject_id = ${id} ORDER BY id`).map(
    (found) => found.event,
  );

describe("registering", () => {
  it("stores card and url, answers the inbound secret, and waits for the first beat", async () => {
    const token = await booting();
    const response = await register(token);
    expect(response.status).toBe(200);
    const body = (await response.json()) as Record<string, unknown>;
    expect(body).toEqual({
      status: "registered",
      platform_inbound_secret: expect.stringMatching(/^[\w-]{43}$/),
      delivery_mode: "push",
    });
    expect(await row()).toMatchObject({ phase: "BOOTING", agent_card: { name: "Ada" } });
    const beaten = await beat(token, { active_tasks: 0 });
    expect(await beaten.json()).toEqual({
      status: "ok",
      platform_inbound_secret: body.platform_inbound_secret,
    });
    expect(await row()).toMatchObject({ phase: "READY", applied_gen: "1" });
    expect(await eventNames()).toContain("WORKSPACE_ONLINE");
  });

  it("dials nothing that a managed agent says about its url", async () => {
    const token = await booting();
    expect((await register(token, { url: "http://169.254.169.254/" })).status).toBe(200);
  });

  it("wakes and resumes nothing", async () => {
    const token = await api.tokenOf(id);
    await api.test.sql`UPDATE workspaces SET intent = 'paused', phase = 'PAUSED' WHERE id = ${id}`;
    await register(token);
    await beat(token);
    expect(await row()).toMatchObject({ intent: "paused", phase: "PAUSED" });
  });

  it("with a token that speaks for no attempt never makes an attempt ready", async () => {
    await booting();
    const token = await api.tokenOf(id);
    expect((await register(token)).status).toBe(200);
    expect((await beat(token)).status).toBe(200);
    expect(await row()).toMatchObject({ phase: "BOOTING" });
  });

  it.each([
    ["no id", { id: "" }],
    ["no card", { agent_card: undefined }],
    ["a card that is a text", { agent_card: "x" }],
    ["an unknown delivery mode", { delivery_mode: "carrier-pigeon" }],
  ])("is refused with %s", async (_name, body) => {
    expect((await register(await api.tokenOf(id), body)).status).toBe(400);
  });
});

describe("the order of refusals, for register and heartbeat alike", () => {
  it("removed, then unknown, then superseded, then accepted", async () => {
    const old = await booting();
    const other = await api.tokenOf(await api.createWorkspace({ name: "Other" }));
    for (const post of [register, beat]) {
      expect((await post(null)).status).toBe(401);
      expect((await post("wst_unknown")).status).toBe(401);
      expect((await post(other)).status).toBe(401);
      expect((await post(old)).status).toBe(200);
    }
    await runAt(api, id, "127.0.0.1:9");
    for (const post of [register, beat]) {
      const response = await post(old);
      expect(response.status).toBe(409);
      expect(await response.json()).toMatchObject({ superseded: true });
    }
    await api.call("DELETE", `/workspaces/${id}?confirm=true`);
    for (const post of [register, beat]) {
      const response = await post(null);
      expect(response.status).toBe(410);
      expect(await response.json()).toMatchObject({ id, removed_at: expect.any(String) });
    }
  });
});

describe("a beat", () => {
  it("leaves what it does not say as it was", async () => {
    const token = await api.tokenOf(id);
    await beat(token, {
      active_tasks: 2,
      current_task: "reading",
      error_rate: 0.2,
      uptime_seconds: 50,
      runtime_metadata: { capabilities: { session: true }, idle_timeout_seconds: 60 },
    });
    await beat(token, { current_task: "writing" });
    expect(await live()).toMatchObject({
      active_tasks: 2,
      current_task: "writing",
      error_rate: 0.2,
      uptime_seconds: 50,
      capabilities: { session: true },
      idle_timeout_seconds: 60,
    });
  });

  it("appends nothing to the log unless the task changed", async () => {
    const token = await api.tokenOf(id);
    await beat(token, { active_tasks: 1, current_task: "a" });
    const before = await eventNames();
    for (let i = 0; i < 5; i += 1) {
      await beat(token, { active_tasks: 1, current_task: "a", uptime_seconds: i });
    }
    expect(await eventNames()).toEqual(before);
    await beat(token, { active_tasks: 0, current_task: "" });
    expect(await eventNames()).toEqual([...before, "TASK_UPDATED"]);
  });

  it("is heard live by streams of this process", async () => {
    const heard: unknown[] = [];
    const leave = api.deps.live.subscribe((event) => heard.push(event));
    await beat(await api.tokenOf(id), { active_tasks: 1, uptime_seconds: 7 });
    leave();
    expect(heard).toMatchObject([
      {
        event: "WORKSPACE_HEARTBEAT",
        workspace_id: id,
        payload: { active_tasks: 1, uptime_seconds: 7 },
      },
    ]);
  });

  it("degrades and recovers a running agent by its error rate, told once each", async () => {
    await runAt(api, id, "127.0.0.1:9");
    const token = await api.tokenOf(id);
    await beat(token, { error_rate: 0.6, sample_error: "model is down" });
    await beat(token, { error_rate: 0.6 });
    expect((await row()).health).toBe("degraded");
    await beat(token, { error_rate: 0.3 });
    expect((await row()).health).toBe("degraded");
    await beat(token, { error_rate: 0.05 });
    expect((await row()).health).toBe("ok");
    await beat(token, { runtime_state: "wedged" });
    expect((await row()).health).toBe("degraded");
    const told = (await eventNames()).filter((name) => /DEGRADED|ONLINE/.test(name));
    expect(told).toEqual(["WORKSPACE_DEGRADED", "WORKSPACE_ONLINE", "WORKSPACE_DEGRADED"]);
  });

  it("of a new attempt starts with nothing known", async () => {
    const first = await booting();
    await beat(first, { active_tasks: 3, current_task: "old" });
    await runAt(api, id, "127.0.0.1:9");
    await beat(await attemptToken(2));
    expect(await live()).toMatchObject({ attempt_no: "2", active_tasks: 0, current_task: "" });
  });

  it.each([
    ["a negative number of tasks", { active_tasks: -1 }],
    ["a text as error rate", { error_rate: "high" }],
    ["a task of a megabyte", { current_task: "x".repeat(1_000_000) }],
  ])("is refused with %s, and nothing changes", async (_name, body) => {
    const token = await api.tokenOf(id);
    await beat(token, { current_task: "kept" });
    expect((await beat(token, body)).status).toBe(400);
    expect((await live()).current_task).toBe("kept");
  });

  it("with characters the database refuses is kept all the same", async () => {
    expect((await beat(await api.tokenOf(id), { current_task: "a\u0000b" })).status).toBe(200);
    expect((await live()).current_task).toBe("a\ufffdb");
  });
});

describe("who is there", () => {
  it("peers are siblings, children, parent, with the proxy's url", async () => {
    const parent = await api.createWorkspace({ name: "Parent" });
    const me = await api.createWorkspace({ name: "Me", parent_id: parent });
    const sibling = await api.createWorkspace({
      name: "Sibling",
      role: "Tester",
      parent_id: parent,
    });
    const child = await api.createWorkspace({ name: "Child", parent_id: me });
    const token = await api.tokenOf(me);
    const peers = async (query = "") => {
      const response = await api.call("GET", `/registry/${me}/peers${query}`, { token });
      return (await response.json()) as { id: string; url: string }[];
    };
    expect((await peers()).map((peer) => peer.id)).toEqual([sibling, child, parent]);
    expect((await peers("?q=TEST")).map((peer) => peer.id)).toEqual([sibling]);
    expect((await peers())[0]?.url).toBe(`http://molecule.test/workspaces/${sibling}/a2a`);
    expect((await api.call("GET", `/registry/${id}/peers`, { token })).status).toBe(401);
  });

  it("discovery hands out the proxy, along the hierarchy, for agents that are there", async () => {
    const caller = await api.createWorkspace({ name: "Caller" });
    const token = await api.tokenOf(caller);
    const discover = (
      target: string,
      headers: Record<string, string> = { "x-workspace-id": caller },
    ) => api.call("GET", `/registry/discover/${target}`, { token, headers });
    expect((await discover(id)).status).toBe(503);
    await runAt(api, id, "127.0.0.1:9");
    expect(await (await discover(id)).json()).toEqual({
      id,
      name: "Ada",
      url: `http://molecule.test/workspaces/${id}/a2a`,
    });
    expect((await discover(id, {})).status).toBe(400);
    expect((await discover(id, { "x-workspace-id": id })).status).toBe(401);
    const child = await api.createWorkspace({ name: "Child", parent_id: id });
    expect((await discover(child)).status).toBe(403);
    const access = await api.call("POST", "/registry/check-access", {
      token,
      body: { caller_id: caller, target_id: child },
    });
    expect(await access.json()).toEqual({ allowed: false });
    expect((await discover("11111111-1111-4111-8111-111111111111")).status).toBe(404);
  });

  it("a card is replaced and told", async () => {
    const token = await api.tokenOf(id);
    const body = { workspace_id: id, agent_card: { name: "New", skills: [] } };
    const response = await api.call("POST", "/registry/update-card", { token, body });
    expect(await response.json()).toEqual({ status: "updated" });
    expect((await row()).agent_card).toEqual({ name: "New", skills: [] });
    expect((await eventNames()).at(-1)).toBe("AGENT_CARD_UPDATED");
  });
});
