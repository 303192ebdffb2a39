import { PLATFORM_ACTOR } from "@molecule/domain/sets";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";
import { joinOrStart } from "../services/fleet/refresh-images.ts";

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await api.test.sql`DELETE FROM fleet_jobs`;
  await api.test.sql`DELETE FROM workers`;
});

async function announceWorker(isDockerThere = true): Promise<void> {
  const docker = { name: "docker", isAvailable: isDockerThere, note: "No engine answers." };
  const info = {
    backends: [docker],
    defaultBackend: "docker",
    backendNote: "",
    bridgeGateway: null,
  };
  await api.test.sql`
    INSERT INTO workers (id, url, info) VALUES ('w', 'http://127.0.0.1:9', ${api.test.sql.json(info)})`;
}

/** Ends the running job as a worker would. */
async function endJob(status: string, result: object, failure: object | null = null) {
  const { sql } = api.test;
  await waitUntil("a job runs", async () => {
    const rows = await sql`
      UPDATE fleet_jobs SET status = ${status}::fleet_job_status, ended_at = cp_now(),
        next_action_at = NULL, result = ${sql.json(result as never)},
        failure = ${failure === null ? null : sql.json(failure as never)}
      WHERE status = 'running' RETURNING id`;
    return rows.length > 0 ? true : null;
  });
}

const REFRESH = "/admin/workspace-images/refresh";

describe("POST /admin/workspace-images/refresh", () => {
  it("I8 waits for the worker and answers what it did, and GET shows the same", async () => {
    await announceWorker();
    const result = { pulled: ["demo"], failed: ["claude-code"], recreated: ["a"] };
    const answer = api.call("POST", `${REFRESH}?runtime=demo&recreate=true`);
    await waitUntil("the job is there", async () => {
      const [row] = await api.test.sql`SELECT * FROM fleet_jobs`;
      return row ?? null;
    });
    const shown = await (await api.call("GET", REFRESH)).json();
    expect(shown).toMatchObject({ status: "running", runtime: "demo", recreate: true, pulled: [] });
    const other = await api.call("POST", REFRESH);
    expect(other.status).toBe(409);
    expect(await other.json()).toMatchObject({
      code: "conflict",
      running: { runtime: "demo", status: "running" },
    });
    await endJob("done", result);
    const response = await answer;
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(result);
    const after = await (await api.call("GET", REFRESH)).json();
    expect(after).toMatchObject({ status: "done", ...result, asked_by: "the administrator" });
  }, 30_000);

  it("I8 the same wish twice is one refresh, and after its end a new one", async () => {
    const actor = PLATFORM_ACTOR;
    const wish = { runtime: "demo", recreate: true } as const;
    const first = await joinOrStart(api.deps, actor, wish);
    const again = await Promise.all([1, 2, 3].map(() => joinOrStart(api.deps, actor, wish)));
    expect(again.map(({ id }) => id)).toEqual([first.id, first.id, first.id]);
    await endJob("done", {});
    expect((await joinOrStart(api.deps, actor, wish)).id).not.toBe(first.id);
  });

  it("I8 answers 500 with what was done until it failed", async () => {
    await announceWorker();
    const answer = api.call("POST", REFRESH);
    const partial = { pulled: ["demo"], failed: [], recreated: [] };
    await endJob("failed", partial, { code: "internal", sentence: "It broke.", next: "Again." });
    const response = await answer;
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ error: "It broke.", partial_result: partial });
  }, 30_000);

  it("I8 answers 503 where no Docker engine is, and writes nothing down", async () => {
    expect((await api.call("POST", REFRESH)).status).toBe(503);
    await announceWorker(false);
    const response = await api.call("POST", REFRESH);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: "No engine answers." });
    expect(await api.test.sql`SELECT 1 FROM fleet_jobs`).toHaveLength(0);
  });

  it.each([
    ["runtime=hermes", { known_runtimes: ["demo", "claude-code"] }],
    ["runtime=external", { known_runtimes: ["demo", "claude-code"] }],
    ["recreate=maybe", { field: "recreate" }],
  ])("refuses %s", async (query, details) => {
    const response = await api.call("POST", `${REFRESH}?${query}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject(details);
  });

  it("is for people and the administrator alone", async () => {
    const id = await api.createWorkspace();
    const token = await api.tokenOf(id);
    for (const method of ["GET", "POST"]) {
      expect((await api.call(method, REFRESH, { token })).status).toBe(401);
      expect((await api.call(method, REFRESH, { token: null })).status).toBe(401);
    }
    const viewer = await api.signIn("viewer");
    const response = await api.call("POST", REFRESH, { token: null, headers: viewer });
    expect(response.status).toBe(403);
    expect((await api.call("GET", REFRESH)).status).toBe(404);
  });
});

const REDEPLOY = "/admin/workspaces/redeploy";

describe("POST /admin/workspaces/redeploy", () => {
  it("I15 I18 I19 writes the way down, says what runs, is stopped and gone on with", async () => {
    await api.test.sql`DELETE FROM workspaces`;
    const ids = [await api.createWorkspace({ name: "Ada" }), await api.createWorkspace()];
    await api.createWorkspace({ runtime: "external", external: true });
    const started = await api.call("POST", `${REDEPLOY}?runtime=demo&batch=1&deadline=30`);
    expect(started.status).toBe(202);
    expect(await started.json()).toMatchObject({
      status: "running",
      runtime: "demo",
      batch: 1,
      total: 2,
      counts: { waiting: 2, asked: 0, back: 0, lost: 0, skipped: 0 },
      workspaces: [{ id: ids[0], name: "Ada", state: "waiting", note: null }, { id: ids[1] }],
      asked_by: "the administrator",
    });
    const second = await api.call("POST", REDEPLOY);
    expect(second.status).toBe(409);
    expect(await second.json()).toMatchObject({
      code: "conflict",
      running: { runtime: "demo", total: 2 },
    });
    const stopped = await api.call("POST", `${REDEPLOY}/stop`);
    expect(await stopped.json()).toMatchObject({ status: "stopped", deadline_at: null });
    expect((await api.call("POST", `${REDEPLOY}/stop`)).status).toBe(409);
    const member = await api.signIn();
    const resumed = await api.call("POST", `${REDEPLOY}/resume`, { token: null, headers: member });
    expect(resumed.status).toBe(202);
    expect(await (await api.call("GET", REDEPLOY)).json()).toMatchObject({
      status: "running",
      ended_at: null,
    });
    expect((await api.call("POST", `${REDEPLOY}/resume`)).status).toBe(409);
  }, 30_000);

  it.each([
    ["batch=0", "batch"],
    ["batch=many", "batch"],
    ["batch=101", "batch"],
    ["deadline=1", "deadline"],
    ["runtime=hermes", "runtime"],
  ])("refuses %s", async (query, field) => {
    const response = await api.call("POST", `${REDEPLOY}?${query}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ field });
    expect(await api.test.sql`SELECT 1 FROM fleet_jobs`).toHaveLength(0);
  });

  it("is for people and the administrator alone", async () => {
    const token = await api.tokenOf(await api.createWorkspace());
    const viewer = await api.signIn("viewer");
    for (const path of [REDEPLOY, `${REDEPLOY}/stop`, `${REDEPLOY}/resume`]) {
      expect((await api.call("POST", path, { token })).status).toBe(401);
      expect((await api.call("POST", path, { token: null, headers: viewer })).status).toBe(403);
    }
    expect((await api.call("GET", REDEPLOY)).status).toBe(404);
  });
});
