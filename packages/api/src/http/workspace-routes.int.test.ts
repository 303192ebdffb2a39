import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";

async function body(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>;
}

async function rowOf(t: TestApi, id: string) {
  return await body(await t.call("GET", `/workspaces/${id}`));
}

describe("creating a workspace", () => {
  it("answers the contract's shape and stores row, place, secrets, event and history together", async () => {
    await using t = await createTestApi();
    const response = await t.call("POST", "/workspaces", {
      body: {
        name: "Ada",
        template: "assistant",
        secrets: { OPENAI_API_KEY: "sk-test-canary-1" },
        canvas: { x: 10, y: 20 },
        max_concurrent_tasks: 0,
        role: "",
        anything: "else",
      },
    });
    expect(response.status).toBe(201);
    const created = await body(response);
    const id = String(created.id);
    expect(created).toEqual({
      id,
      status: "provisioning",
      awareness_namespace: `workspace:${id}`,
      workspace_access: "none",
    });
    expect(await rowOf(t, id)).toMatchObject({
      name: "Ada",
      role: null,
      tier: 3,
      status: "provisioning",
      agent_card: null,
      url: "",
      parent_id: null,
      active_tasks: 0,
      max_concurrent_tasks: 1,
      uptime_seconds: 0,
      last_error_rate: 0,
      runtime: "demo",
      x: 10,
      y: 20,
      collapsed: false,
      last_outbound_at: null,
    });
    const events = (await (await t.call("GET", `/events/${id}`)).json()) as {
      event_type: string;
    }[];
    expect(events.map((event) => event.event_type)).toEqual([
      "WORKSPACE_PROVISIONING",
      "ACTIVITY_LOGGED",
    ]);
    const dump = JSON.stringify(
      await t.test.sql`SELECT * FROM workspaces, workspace_secrets, events`,
    );
    expect(dump).not.toContain("canary");
  });

  it("gives an external agent its connection once, and its token works at once", async () => {
    await using t = await createTestApi();
    const created = await body(
      await t.call("POST", "/workspaces", { body: { name: "Ext", runtime: "external" } }),
    );
    expect(created).toMatchObject({ external: true, status: "awaiting_agent" });
    const connection = created.connection as Record<string, string>;
    expect(Object.keys(connection)).toEqual(
      expect.arrayContaining(["auth_token", "platform_url", "registry_endpoint", "python_snippet"]),
    );
    expect(connection.auth_token).toMatch(/^wst_[\w-]{43}$/);
    const token = connection.auth_token ?? "";
    const state = await t.call("GET", `/workspaces/${created.id}/state`, { token });
    expect(await body(state)).toEqual({
      workspace_id: created.id,
      status: "awaiting_agent",
      paused: false,
      deleted: false,
    });
    expect(await rowOf(t, String(created.id))).not.toHaveProperty("connection");
  });

  it("refuses what it does not know and stores nothing of it", async () => {
    await using t = await createTestApi();
    const parent = await t.createWorkspace();
    const cases: [Record<string, unknown>, Record<string, unknown>][] = [
      [{ runtime: "hermes" }, { known_runtimes: ["demo", "claude-code", "external"] }],
      [{ template: "nope" }, { known_templates: expect.arrayContaining(["assistant"]) }],
      [{ template: "../secrets" }, {}],
      [{ parent_id: randomUUID() }, { field: "parent_id" }],
      [{ parent_id: "x" }, { field: "parent_id" }],
      [{ name: "" }, { field: "name" }],
      [{ name: "a\nb" }, { field: "name" }],
      [{ name: "a{b" }, { field: "name" }],
      [{ secrets: { lower: "v" } }, { field: "secrets" }],
      [{ secrets: { OK_KEY: "v", BAD: "" } }, { field: "secrets" }],
      [{ workspace_dir: "/etc/x" }, { field: "workspace_dir" }],
      [{ workspace_dir: "/srv/../etc" }, { field: "workspace_dir" }],
      [{ workspace_access: "read_only" }, { field: "workspace_access" }],
      [{ external: true, url: "http://127.0.0.1:9000" }, {}],
      [{ external: true, url: "http://169.254.169.254/" }, {}],
      [{ budget_limit: 2 ** 53 - 1 }, { field: "budget_limit" }],
    ];
    for (const [wrong, expected] of cases) {
      const response = await t.call("POST", "/workspaces", {
        body: { name: "Bad", runtime: "demo", ...wrong },
      });
      expect([JSON.stringify(wrong), response.status]).toEqual([JSON.stringify(wrong), 400]);
      expect(await body(response)).toMatchObject({ code: "bad_request", ...expected });
    }
    const rows = (await (await t.call("GET", "/workspaces")).json()) as { id: string }[];
    expect(rows.map((row) => row.id)).toEqual([parent]);
    const [secrets] = await t.test.sql`SELECT count(*)::int AS n FROM workspace_secrets`;
    expect(secrets?.n).toBe(0);
  });

  it("puts a card that names no place where none stands", async () => {
    await using t = await createTestApi();
    for (let n = 0; n < 6; n += 1) await t.createWorkspace({ name: `W${n}` });
    const rows = (await (await t.call("GET", "/workspaces")).json()) as { x: number; y: number }[];
    expect(new Set(rows.map(({ x, y }) => `${x},${y}`)).size).toBe(6);
  });
});

describe("reading a workspace", () => {
  it("tells a stranger the minimum, a foreign agent no more, and its owners everything", async () => {
    await using t = await createTestApi();
    const id = await t.createWorkspace();
    const foreign = await t.tokenOf(await t.createWorkspace());
    for (const token of [null, foreign]) {
      const shown = await body(await t.call("GET", `/workspaces/${id}`, { token }));
      expect(shown).toEqual({ id, status: "provisioning" });
    }
    const own = await body(
      await t.call("GET", `/workspaces/${id}`, { token: await t.tokenOf(id) }),
    );
    expect(own).toHaveProperty("agent_card");
    expect((await t.call("GET", `/workspaces/${id.toUpperCase()}`)).status).toBe(200);
    expect((await t.call("GET", `/workspaces/${randomUUID()}`)).status).toBe(404);
  });

  it("answers 410 for a removed one, or the row when it is asked for", async () => {
    await using t = await createTestApi();
    const id = await t.createWorkspace();
    await t.call("DELETE", `/workspaces/${id}`);
    const gone = await t.call("GET", `/workspaces/${id}`, { token: null });
    expect(gone.status).toBe(410);
    expect(await body(gone)).toMatchObject({ id, removed_at: expect.any(String), code: "removed" });
    const legacy = await t.call("GET", `/workspaces/${id}?include_removed=true`);
    expect(await body(legacy)).toMatchObject({ id, status: "removed" });
    const state = await t.call("GET", `/workspaces/${id}/state`);
    expect([state.status, await body(state)]).toMatchObject([
      404,
      { workspace_id: id, deleted: true, status: "removed" },
    ]);
  });
});

describe("changing a workspace", () => {
  it("moves it below another one but never below itself, also when two moves race", async () => {
    await using t = await createTestApi();
    const [a, b, c] = [
      await t.createWorkspace(),
      await t.createWorkspace(),
      await t.createWorkspace(),
    ];
    const move = (id: string, parent: string | null) =>
      t.call("PATCH", `/workspaces/${id}`, { body: { parent_id: parent } });
    expect((await move(b, a)).status).toBe(200);
    expect((await move(c, b)).status).toBe(200);
    for (const [id, parent] of [
      [a, c],
      [a, a],
      [b, c],
    ] as const) {
      expect((await move(id, parent)).status).toBe(400);
    }
    expect((await move(c, null)).status).toBe(200);
    await move(b, null);
    const race = await Promise.all([move(a, b), move(b, a)]);
    expect(race.map((response) => response.status).sort()).toEqual([200, 400]);
  });

  it("restarts for a change of the tier, and for nothing that is equal already", async () => {
    await using t = await createTestApi();
    const id = await t.createWorkspace();
    const gens = async () =>
      (await t.test.sql`SELECT desired_gen::int AS gen FROM workspaces`)[0]?.gen;
    for (const change of [{ name: "Bea" }, { x: 1, y: 2 }, { collapsed: true }, { tier: 3 }]) {
      const response = await t.call("PATCH", `/workspaces/${id}`, { body: change });
      expect(await body(response)).toEqual({ status: "updated" });
    }
    expect(await gens()).toBe(1);
    await t.call("PATCH", `/workspaces/${id}`, { body: { tier: 2 } });
    await t.call("PATCH", `/workspaces/${id}`, { body: { tier: 2 } });
    expect(await gens()).toBe(2);
    expect(await rowOf(t, id)).toMatchObject({ name: "Bea", x: 1, y: 2, collapsed: true, tier: 2 });
    const dir = await t.call("PATCH", `/workspaces/${id}`, { body: { workspace_dir: "/srv/a" } });
    expect(await body(dir)).toEqual({ status: "updated", needs_restart: true });
  });
});

describe("an agent with its own token", () => {
  it("may rename itself, but not move up, grow or mount a folder", async () => {
    await using t = await createTestApi();
    const team = await t.createWorkspace();
    const id = await t.createWorkspace({ parent_id: team });
    const token = await t.tokenOf(id);
    const patch = (change: object) => t.call("PATCH", `/workspaces/${id}`, { body: change, token });
    expect((await patch({ name: "Bea" })).status).toBe(200);
    for (const change of [
      { parent_id: null },
      { tier: 4 },
      { runtime: "demo" },
      { workspace_dir: "/srv" },
    ]) {
      expect((await patch(change)).status).toBe(403);
    }
    expect(await rowOf(t, id)).toMatchObject({ name: "Bea", parent_id: team, tier: 3 });
  });
});

describe("pausing, restarting and removing", () => {
  it("pauses and resumes a team, and says what is not possible now", async () => {
    await using t = await createTestApi();
    const a = await t.createWorkspace();
    const b = await t.createWorkspace({ parent_id: a });
    const post = (id: string, verb: string) => t.call("POST", `/workspaces/${id}/${verb}`);
    expect(await body(await post(a, "pause"))).toEqual({ status: "paused", paused_count: 2 });
    expect((await post(a, "pause")).status).toBe(404);
    expect((await post(b, "resume")).status).toBe(409);
    expect((await post(a, "restart")).status).toBe(409);
    expect(await body(await post(a, "resume"))).toEqual({
      status: "provisioning",
      resumed_count: 2,
    });
    expect(await body(await post(b, "restart"))).toMatchObject({
      status: "provisioning",
      config_dir: "existing-volume",
      reset_session: false,
    });
    expect((await post(randomUUID(), "restart")).status).toBe(404);
  });

  it("explains that there is nothing to restart of an external agent", async () => {
    await using t = await createTestApi();
    const id = await t.createWorkspace({ runtime: "external" });
    const answer = await body(await t.call("POST", `/workspaces/${id}/restart`));
    expect(answer).toMatchObject({ attempt: null, message: expect.stringContaining("outside") });
  });

  it("asks before it removes a team, then removes all of it and its tokens", async () => {
    await using t = await createTestApi();
    const a = await t.createWorkspace({ name: "Lead" });
    const b = await t.createWorkspace({ name: "Member", parent_id: a });
    const token = await t.tokenOf(b);
    const asked = await t.call("DELETE", `/workspaces/${a}`);
    expect(asked.status).toBe(409);
    expect(await body(asked)).toMatchObject({
      status: "confirmation_required",
      children: [{ id: b, name: "Member" }],
      children_count: 1,
    });
    const done = await t.call("DELETE", `/workspaces/${a}?confirm=true`);
    expect(await body(done)).toEqual({ status: "removed", cascade_deleted: 1 });
    expect((await t.call("GET", `/workspaces/${b}/tokens`, { token })).status).toBe(410);
    expect((await t.call("GET", `/workspaces`)).status).toBe(200);
    expect(await (await t.call("GET", "/workspaces")).json()).toEqual([]);
  });

  it("counts one click sent twice as one, and two clicks as two", async () => {
    await using t = await createTestApi();
    const id = await t.createWorkspace();
    const click = (clickId: string) =>
      t.call("POST", "/trpc/workspaces.restart", { body: { id, clickId } });
    const first = await body(await click("click-0001"));
    expect(await body(await click("click-0001"))).toEqual(first);
    await click("click-0002");
    const [row] = await t.test.sql`SELECT force_seq::int AS seq FROM workspaces`;
    expect(row?.seq).toBe(2);
  });
});

describe("every answer", () => {
  it("has the headers of the contract, a request id, and says how much may still be asked", async () => {
    await using t = await createTestApi({
      platform: { rateLimit: 3, corsOrigins: ["http://ui.test"] },
    });
    const response = await t.call("GET", "/workspaces", { headers: { origin: "http://ui.test" } });
    const headers = Object.fromEntries(response.headers);
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "strict-origin-when-cross-origin",
      "x-ratelimit-limit": "3",
      "x-ratelimit-remaining": "2",
      "access-control-allow-origin": "http://ui.test",
      "access-control-allow-credentials": "true",
    });
    expect(headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    const foreign = await t.call("GET", "/workspaces", { headers: { origin: "http://evil.test" } });
    expect(foreign.headers.get("access-control-allow-origin")).toBeNull();
    await t.call("GET", "/workspaces");
    const refused = await t.call("GET", "/workspaces");
    expect(refused.status).toBe(429);
    expect(await body(refused)).toMatchObject({
      code: "rate_limited",
      retry_after: expect.any(Number),
    });
    // Somebody without a credential has a window of their own.
    expect((await t.call("GET", "/health", { token: null })).status).toBe(200);
  });

  it("never tells what an unforeseen error was, and names the request in answer and log", async () => {
    await using t = await createTestApi();
    await t.test.sql`ALTER TABLE workspaces RENAME COLUMN agent_card TO planted_marker`;
    const response = await t.call("GET", "/workspaces");
    expect(response.status).toBe(500);
    const answer = await body(response);
    expect(answer).toMatchObject({ code: "internal", request_id: expect.any(String) });
    expect(JSON.stringify(answer)).not.toMatch(/marker|agent_card|column|select/i);
    const trpc = await t.call("GET", "/trpc/canvas.snapshot");
    expect(trpc.status).toBe(500);
    expect(await trpc.text()).not.toMatch(/marker|agent_card|column|select/i);
    expect(t.warnings).toHaveLength(2);
  });

  it("says 503 with one sentence while the database is gone, to both doors", async () => {
    await using t = await createTestApi();
    await t.deps.db.close();
    const plain = await t.call("GET", "/workspaces");
    expect([plain.status, (await body(plain)).code]).toEqual([503, "platform_unavailable"]);
    const trpc = await t.call("GET", "/trpc/canvas.snapshot");
    expect(trpc.status).toBe(503);
    expect(JSON.stringify(await body(trpc))).toContain("platform_unavailable");
  });
});
