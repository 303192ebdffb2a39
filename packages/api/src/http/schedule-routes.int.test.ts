import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fireDue } from "@molecule/db/schedules/fire-schedule";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAt, saying, startTestAgent, type TestAgent } from "../a2a/test-agent.fixture.ts";
import { createTestApi, type TestApi } from "../api.fixture.ts";
import { createFromWire } from "../services/workspaces/create-from-wire.ts";

const NOWHERE = "00000000-0000-4000-8000-000000000000";

let api: TestApi;
let agent: TestAgent;
let id: string;

beforeAll(async () => {
  api = await createTestApi();
  agent = await startTestAgent();
  id = await api.createWorkspace({ name: "Ada" });
  await runAt(api, id, agent.address);
});
afterAll(async () => {
  await agent.close();
  await api[Symbol.asyncDispose]();
});

const at = (workspaceId: string, rest = "") => `/workspaces/${workspaceId}/schedules${rest}`;
const REPORT = { name: "Report", cron_expr: "0 9 * * 1-5", prompt: "Write the report" };

async function create(body: Record<string, unknown> = {}, workspaceId = id) {
  const response = await api.call("POST", at(workspaceId), { body: { ...REPORT, ...body } });
  expect(response.status).toBe(201);
  return (await response.json()) as { id: string; status: string; next_run_at: string | null };
}

const json = async (response: Response) => (await response.json()) as Record<string, unknown>;
const rows = async (target: string) =>
  (await (await api.call("GET", target)).json()) as Record<string, unknown>[];

describe("the routes of schedules", () => {
  it("create, list, change and delete in the shapes of §13", async () => {
    const made = await create({ timezone: "Europe/Berlin" });
    expect(made).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      status: "created",
      next_run_at: expect.stringMatching(/T0[78]:00:00\.000Z$/),
    });
    const [listed] = await rows(at(id));
    expect(listed).toEqual({
      id: made.id,
      workspace_id: id,
      ...REPORT,
      timezone: "Europe/Berlin",
      enabled: true,
      last_run_at: null,
      next_run_at: made.next_run_at,
      run_count: 0,
      last_status: null,
      last_error: null,
      source: "runtime",
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    const patch = await api.call("PATCH", at(id, `/${made.id}`), {
      body: { enabled: false, prompt: "Write less", unknown: 1 },
    });
    expect([patch.status, await json(patch)]).toEqual([200, { status: "updated" }]);
    expect((await rows(at(id)))[0]).toMatchObject({
      enabled: false,
      next_run_at: null,
      prompt: "Write less",
      name: "Report",
    });
    const gone = await api.call("DELETE", at(id, `/${made.id}`));
    expect([gone.status, await json(gone)]).toEqual([200, { status: "deleted" }]);
    expect(await rows(at(id))).toEqual([]);
  });

  it("take several without a name, and an empty time zone as UTC", async () => {
    const first = await create({ name: undefined });
    const second = await create({ name: "", timezone: "" });
    const listed = await rows(at(id));
    expect(listed.map((row) => [row.id, row.name, row.timezone])).toEqual([
      [first.id, "", "UTC"],
      [second.id, "", "UTC"],
    ]);
    for (const row of listed) await api.call("DELETE", at(id, `/${row.id}`));
  });

  it.each([
    [{ cron_expr: "61 9 * * *" }, { field: "cron_expr", cron_field: "minute" }],
    [{ cron_expr: "0 9 * *" }, { field: "cron_expr" }],
    [{ cron_expr: "0 0 30 2 *" }, { field: "cron_expr" }],
    [{ timezone: "Mars/Olympus" }, { field: "timezone" }],
    [{ timezone: "+02:00" }, { field: "timezone" }],
  ])("refuse %j with the field", async (wrong, told) => {
    const made = await create();
    const create400 = await api.call("POST", at(id), { body: { ...REPORT, ...wrong } });
    const patch400 = await api.call("PATCH", at(id, `/${made.id}`), { body: wrong });
    for (const response of [create400, patch400]) {
      expect(response.status).toBe(400);
      expect(await json(response)).toMatchObject({ code: "bad_request", ...told });
    }
    expect((await rows(at(id))).map((row) => row.cron_expr)).toEqual([REPORT.cron_expr]);
    await api.call("DELETE", at(id, `/${made.id}`));
  });

  it.each([
    ["PATCH", ""],
    ["DELETE", ""],
    ["POST", "/run"],
    ["GET", "/history"],
  ])("answer 404 to %s%s of a schedule that this workspace does not have", async (method, rest) => {
    const other = await api.createWorkspace({ name: "Other" });
    const made = await create({}, other);
    for (const sid of [NOWHERE, "not-a-uuid", made.id]) {
      const call = method === "PATCH" ? { body: { enabled: false } } : {};
      const response = await api.call(method, at(id, `/${sid}${rest}`), call);
      expect(response.status, sid).toBe(404);
    }
    expect((await rows(at(other)))[0]).toMatchObject({ enabled: true, run_count: 0 });
  });

  it("answer 410 for a removed workspace, 401 to a stranger and to another agent", async () => {
    const gone = await api.createWorkspace({ name: "Gone" });
    await create({}, gone);
    await api.call("DELETE", `/workspaces/${gone}?confirm=true`);
    expect((await api.call("GET", at(gone))).status).toBe(410);
    expect((await api.call("GET", at(id), { token: null })).status).toBe(401);
    const other = await api.createWorkspace({ name: "Stranger" });
    const token = await api.tokenOf(other);
    expect((await api.call("GET", at(id), { token })).status).toBe(401);
    expect((await api.call("POST", at(id), { token, body: REPORT })).status).toBe(401);
    const own = await api.call("POST", at(other), { token, body: REPORT });
    expect(own.status).toBe(201);
  });

  it("tell peers the health without what is asked, and nobody else anything", async () => {
    const boss = await api.createWorkspace({ name: "Boss" });
    const child = await api.createWorkspace({ name: "Child", parent_id: boss });
    const nephew = await api.createWorkspace({
      name: "Nephew",
      parent_id: await api.createWorkspace({ name: "Uncle" }),
    });
    await create({}, child);
    const health = (token: string | null) => api.call("GET", at(child, "/health"), { token });
    expect((await health(null)).status).toBe(401);
    expect((await health(await api.tokenOf(nephew))).status).toBe(403);
    const seen = await health(await api.tokenOf(boss));
    expect(seen.status).toBe(200);
    const [row] = (await seen.json()) as Record<string, unknown>[];
    expect(row).toMatchObject({ name: "Report", cron_expr: "0 9 * * 1-5", last_status: null });
    expect(row).not.toHaveProperty("prompt");
  });
});

describe("a run", () => {
  it("SC11 is delivered at once, answered, counted and in the history", async () => {
    agent.behave(saying("Here it is"));
    const made = await create();
    const before = agent.calls.length;
    const response = await api.call("POST", at(id, `/${made.id}/run`), { body: {} });
    const told = await json(response);
    expect([response.status, told]).toEqual([
      200,
      {
        status: "fired",
        workspace_id: id,
        prompt: REPORT.prompt,
        dispatched: true,
        run_id: expect.any(String),
        message_id: expect.stringMatching(/^cron-[0-9a-f]{8}-[0-9a-f]{8}$/),
      },
    ]);
    const [ended] = await waitUntil("it has ended", async () => {
      const history = await rows(at(id, `/${made.id}/history`));
      return history[0]?.status === "ok" ? history : null;
    });
    expect(ended).toMatchObject({
      timestamp: expect.any(String),
      duration_ms: expect.any(Number),
      status: "ok",
      error_detail: null,
      request: { prompt: REPORT.prompt, message_id: told.message_id, cause: "manual" },
    });
    expect(agent.calls.length).toBe(before + 1);
    expect(agent.calls.at(-1)?.body).toMatchObject({
      params: { message: { messageId: told.message_id, parts: [{ text: REPORT.prompt }] } },
    });
    const [listed] = (await rows(at(id))).filter((row) => row.id === made.id);
    expect(listed).toMatchObject({
      run_count: 1,
      last_status: "ok",
      next_run_at: made.next_run_at,
    });
    const types = await rows(`/workspaces/${id}/activity?type=cron_run`);
    expect(types[0]).toMatchObject({ summary: "Schedule “Report”: run", status: "ok" });
    // A client that sends the prompt itself, under the id it was told, sends nothing twice.
    const again = await api.call("POST", `/workspaces/${id}/a2a`, {
      body: {
        jsonrpc: "2.0",
        id: 1,
        method: "message/send",
        params: {
          message: {
            role: "user",
            messageId: told.message_id,
            parts: [{ kind: "text", text: REPORT.prompt }],
          },
        },
      },
    });
    expect(again.status).toBe(200);
    expect(agent.calls.length).toBe(before + 1);
  });

  it("with dispatch:false is only looked up, as the contract's is", async () => {
    const made = await create();
    const before = agent.calls.length;
    const response = await api.call("POST", at(id, `/${made.id}/run`), {
      body: { dispatch: false },
    });
    expect(await json(response)).toEqual({
      status: "fired",
      workspace_id: id,
      prompt: REPORT.prompt,
    });
    expect(await rows(at(id, `/${made.id}/history`))).toEqual([]);
    expect(agent.calls.length).toBe(before);
  });

  it("SC7 whose agent is busy waits in the queue, is seen as pending and comes when it is free", async () => {
    const busy = await api.createWorkspace({ name: "Busy", max_concurrent_tasks: 1 });
    await using slow = await startTestAgent();
    await runAt(api, busy, slow.address);
    let free = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      free = resolve;
    });
    slow.behave(async (call, res, req) => {
      await held;
      await saying("done")(call, res, req);
    });
    const made = await create({}, busy);
    const run = () => api.call("POST", at(busy, `/${made.id}/run`), { body: {} });
    const statuses = async () =>
      (await rows(at(busy, `/${made.id}/history`))).map((row) => row.status);
    await run();
    await waitUntil("the first is with the agent", () => slow.calls.length === 1);
    const second = await json(await run());
    expect((await json(await run())).run_id).toBe(second.run_id);
    expect(await statuses()).toEqual(["pending", "pending"]);
    expect(slow.calls).toHaveLength(1);
    free();
    await waitUntil("both are done", async () => (await statuses()).join() === "ok,ok");
    expect(slow.calls).toHaveLength(2);
  });

  it("SC10 that the agent fails is an error with its sentence", async () => {
    agent.behave((call, res) => {
      res.setHeader("content-type", "application/json");
      res.end(
        JSON.stringify({ jsonrpc: "2.0", id: call.body.id, error: { code: 1, message: "No ink" } }),
      );
    });
    const made = await create();
    await api.call("POST", at(id, `/${made.id}/run`), { body: {} });
    const [ended] = await waitUntil("it has ended", async () => {
      const history = await rows(at(id, `/${made.id}/history`));
      return history[0]?.status === "pending" ? null : history;
    });
    expect(ended).toMatchObject({ status: "error", error_detail: "No ink" });
  });

  it("SC11 of a paused agent is refused with the sentence", async () => {
    const paused = await api.createWorkspace({ name: "Paused" });
    const made = await create({}, paused);
    await api.call("POST", `/workspaces/${paused}/pause`);
    const response = await api.call("POST", at(paused, `/${made.id}/run`), { body: {} });
    expect(response.status).toBe(503);
    expect(await json(response)).toMatchObject({
      error: "Paused is paused.",
      code: "workspace_unreachable",
      reason: "paused",
    });
    expect(await rows(at(paused, `/${made.id}/history`))).toEqual([]);
  });
});

it("the canvas has the same under tRPC, with a preview of the next runs", async () => {
  const headers = await api.signIn();
  const post = async (procedure: string, body: unknown) => {
    const response = await api.call("POST", `/trpc/${procedure}`, { body, headers, token: null });
    return (await response.json()) as { result?: { data: unknown }; error?: unknown };
  };
  const get = async (procedure: string, input: unknown) => {
    const query = encodeURIComponent(JSON.stringify(input));
    const target = `/trpc/${procedure}?input=${query}`;
    const response = await api.call("GET", target, { headers, token: null });
    return (await response.json()) as { result?: { data: unknown }; error?: unknown };
  };
  const workspaceId = await api.createWorkspace({ name: "Canvas" });
  const wishes = {
    name: "Morning",
    cronExpr: "0 9 * * *",
    timezone: "UTC",
    prompt: "Good morning",
    enabled: true,
  };
  const made = await post("schedules.create", { workspaceId, ...wishes });
  const { id: scheduleId } = (made.result ?? { data: {} }).data as { id: string };
  expect((await get("schedules.list", { workspaceId })).result?.data).toMatchObject({
    schedules: [{ id: scheduleId, ...wishes, source: "runtime", lastStatus: null }],
    runtimeRunsThem: false,
  });
  const off = { workspaceId, id: scheduleId, enabled: false };
  expect((await post("schedules.update", off)).result?.data).toMatchObject({ nextRunAt: null });
  const ref = { workspaceId, id: scheduleId };
  const started = await post("schedules.run", ref);
  expect(started.result?.data).toMatchObject({ run: { cause: "manual", outcome: null } });
  expect((await get("schedules.runs", ref)).result?.data).toHaveLength(1);
  const preview = { cronExpr: "*/5 * * * *", timezone: "Europe/Berlin" };
  expect((await get("schedules.preview", preview)).result?.data).toMatchObject({
    runs: [expect.any(String), expect.any(String), expect.any(String)],
  });
  const wrong = await get("schedules.preview", { ...preview, timezone: "Mars" });
  expect(JSON.stringify(wrong.error)).toContain("There is no time zone called");
  expect((await post("schedules.remove", ref)).result?.data).toEqual({ done: true });
});

it("the operator sees the schedules of all agents, what is overdue first, without what they say", async () => {
  const workspaceId = await api.createWorkspace({ name: "Watched" });
  const body = { name: "Late", cron_expr: "0 9 * * *", prompt: "a secret plan" };
  const made = await api.call("POST", `/workspaces/${workspaceId}/schedules`, { body });
  const { id } = (await made.json()) as { id: string };
  await api.test.sql`
    UPDATE schedules SET next_run_at = cp_now() - interval '90 seconds' WHERE id = ${id}`;
  const gone = await api.createWorkspace({ name: "Gone" });
  await api.call("POST", `/workspaces/${gone}/schedules`, { body });
  await api.call("DELETE", `/workspaces/${gone}?confirm=true`);
  const answer = await api.call("GET", "/admin/schedules/health");
  const all = (await answer.json()) as Record<string, unknown>[];
  expect(all[0]).toMatchObject({
    id,
    workspace_id: workspaceId,
    workspace_name: "Watched",
    name: "Late",
    enabled: true,
    last_status: null,
    overdue_seconds: expect.toSatisfy((seconds: number) => seconds >= 90 && seconds < 600),
  });
  expect(all.map((one) => one.workspace_id)).not.toContain(gone);
  expect(JSON.stringify(all)).not.toContain("a secret plan");
  const agent = await api.tokenOf(workspaceId);
  for (const token of [null, agent]) {
    expect((await api.call("GET", "/admin/schedules/health", { token })).status).toBe(401);
  }
});

describe("a template", () => {
  async function platformWith(schedules: string) {
    const dir = await mkdtemp(path.join(tmpdir(), "molecule-templates-"));
    await mkdir(path.join(dir, "clerk"));
    const yaml = `name: Clerk\nruntime: demo\nschedules:\n${schedules}`;
    await writeFile(path.join(dir, "clerk", "config.yaml"), yaml);
    const body = { name: "Clerk", runtime: "demo", template: "clerk" };
    const deps = { ...api.deps, templatesDir: dir };
    return { dir, body, deps };
  }

  it("SC14 brings its schedules once, and they run like any other", async () => {
    const { dir, body, deps } = await platformWith(
      "  - name: Nightly\n    cron_expr: 0 2 * * *\n    timezone: Europe/Berlin\n    prompt: Tidy up\n  - name: Off\n    cron: '*/5 * * * *'\n    prompt: Nothing\n    enabled: false\n",
    );
    const actor = { kind: "admin", name: "the administrator" } as const;
    const { id: made } = (await createFromWire(deps, actor, body)) as { id: string };
    await rm(dir, { recursive: true });
    const listed = await rows(at(made));
    expect(
      listed.map(({ name, source, enabled, timezone }) => [name, source, enabled, timezone]),
    ).toEqual([
      ["Nightly", "template", true, "Europe/Berlin"],
      ["Off", "template", false, "UTC"],
    ]);
    const { sql } = api.test;
    await sql`UPDATE schedules SET next_run_at = cp_now(), next_action_at = cp_now()
      WHERE id = ${String(listed[0]?.id)}`;
    const fired = await api.test.db.transaction((tx) => fireDue(tx, String(listed[0]?.id)));
    expect(fired).toMatchObject({ kind: "sent" });
  });

  it("SC14 with a time zone that nobody knows makes no workspace", async () => {
    const { dir, body, deps } = await platformWith(
      "  - name: Nightly\n    cron_expr: 0 2 * * *\n    timezone: Mars/Olympus\n    prompt: Tidy up\n",
    );
    const actor = { kind: "admin", name: "the administrator" } as const;
    await expect(createFromWire(deps, actor, body)).rejects.toMatchObject({
      code: "bad_request",
      details: { field: "timezone" },
    });
    await rm(dir, { recursive: true });
  });
});
