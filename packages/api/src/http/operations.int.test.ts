import { LoopPulse } from "@molecule/db/processes/pulse";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestApi, TEST_ADMIN_TOKEN, TEST_HOST, type TestApi } from "../api.fixture.ts";
import { startApi } from "../start-api.ts";
import { NOTIFIES_PER_MINUTE } from "./activity-routes.ts";
import { SharedRateLimiter } from "./shared-rate-limit.ts";

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

describe("/admin/liveness", () => {
  it("tells the age of each loop of each process", async () => {
    const worker = new LoopPulse({ db: api.test.db, kind: "worker", log });
    const second = new LoopPulse({ db: api.test.db, kind: "worker", log });
    const server = new LoopPulse({ db: api.test.db, kind: "server", log });
    for (const one of [worker, second]) one.tick("reconciler", 1000);
    server.tick("queue drain", 1000);
    for (const one of [worker, second, server]) await one.flush();
    await api.test.sql`
      UPDATE loop_ticks SET last_tick_at = cp_now() - interval '90 seconds' WHERE process_id = ${second.id}`;
    const response = await api.call("GET", "/admin/liveness");
    expect(response.status).toBe(200);
    const told = (await response.json()) as {
      subsystems: Record<string, { seconds_ago: number; processes: number }>;
      processes: { id: string; kind: string; loops: Record<string, { seconds_ago: number }> }[];
    };
    expect(told.subsystems["worker.reconciler"]).toMatchObject({
      last_tick_at: expect.stringMatching(/Z$/),
      every_seconds: 1,
      processes: 2,
    });
    expect(told.subsystems["worker.reconciler"]?.seconds_ago).toBeLessThan(80);
    expect(told.subsystems["server.queue drain"]).toMatchObject({ processes: 1 });
    const hanging = told.processes.find(({ id }) => id === second.id);
    expect(hanging?.kind).toBe("worker");
    expect(hanging?.loops.reconciler?.seconds_ago).toBeGreaterThanOrEqual(90);
    for (const one of [worker, second, server]) await one.stop();
  });

  it("is the operator's", async () => {
    const id = await api.createWorkspace();
    for (const token of [null, "wrong", await api.tokenOf(id)]) {
      expect((await api.call("GET", "/admin/liveness", { token })).status).toBe(401);
    }
  });

  it("hears of the loops of a server", async () => {
    const ticks = new Set<string>();
    const pulse = { tick: (loop: string) => ticks.add(loop) };
    await using heard = await createTestApi({ pulse });
    await expect
      .poll(() => [...ticks].sort(), { timeout: 20_000 })
      .toEqual(expect.arrayContaining(["event log"]));
    expect(heard.warnings).toEqual([]);
  });
});

describe("/metrics", () => {
  const here = { ip: "127.0.0.1", token: null } as const;
  const local = { host: "127.0.0.1:8080" };

  it("has what Node and the process tell, and the contract's names once each", async () => {
    const id = await api.createWorkspace();
    await api.call("GET", `/workspaces/${id}`);
    await api.call("GET", "/no/such/route");
    const response = await api.call("GET", "/metrics");
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).split("\n");
    for (const [name, type] of [
      ["process_cpu_seconds_total", "counter"],
      ["process_resident_memory_bytes", "gauge"],
      ["process_start_time_seconds", "gauge"],
      ["nodejs_eventloop_lag_seconds", "gauge"],
      ["nodejs_heap_size_used_bytes", "gauge"],
      ["nodejs_gc_duration_seconds", "histogram"],
      ["molecule_http_requests_total", "counter"],
      ["molecule_http_request_duration_seconds_total", "counter"],
      ["molecule_websocket_connections_active", "gauge"],
      ["molecule_database_up", "gauge"],
      ["molecule_held_workspaces", "gauge"],
      ["molecule_attempts_total", "counter"],
      ["molecule_restart_requests_total", "counter"],
      ["molecule_sweep_actions_total", "counter"],
    ]) {
      expect(lines.filter((line) => line === `# TYPE ${name} ${type}`)).toHaveLength(1);
    }
    const counted = lines.filter((line) => line.startsWith("molecule_http_requests_total{"));
    expect(counted).toContainEqual(
      expect.stringMatching(/\{method="GET",path="\/workspaces\/:id",status="200"\} \d+$/),
    );
    expect(counted).toContainEqual(expect.stringMatching(/path="unknown",status="404"\} \d+$/));
    expect(lines.join("\n")).not.toContain(id);
  });

  it("counts the workspaces whose saved changes are held, and no other", async () => {
    const held = async () => {
      const text = await (await api.call("GET", "/metrics")).text();
      return Number(/^molecule_held_workspaces (\d+)$/m.exec(text)?.[1]);
    };
    const ids = [await api.createWorkspace(), await api.createWorkspace()];
    const before = await held();
    await api.test.sql`
      UPDATE workspaces SET pending_policy = 'hold', applied_gen = 1, desired_gen = 2 WHERE id = ${ids[0] ?? ""}`;
    expect(await held()).toBe(before + 1);
    await api.test.sql`UPDATE workspaces SET pending_policy = NULL WHERE id = ${ids[0] ?? ""}`;
    expect(await held()).toBe(before);
  });

  it("is for the operator and for this machine, and not for whom a proxy here asks", async () => {
    const ask = async (headers: Record<string, string>, more: object = {}) =>
      (await api.call("GET", "/metrics", { ...here, headers, ...more })).status;
    expect(await ask(local)).toBe(200);
    expect(await ask({ host: "[::1]:8080" }, { ip: "::1" })).toBe(200);
    expect(await ask(local, { ip: "192.0.2.1" })).toBe(401);
    expect(await ask({ host: "molecule.example" })).toBe(401);
    expect(await ask({ ...local, "x-forwarded-for": "192.0.2.1" })).toBe(401);
    expect(await ask({ ...local, origin: "https://evil.example" })).toBe(401);
    expect(await ask({}, { token: TEST_ADMIN_TOKEN, ip: "192.0.2.1" })).toBe(200);
  });
});

describe("test tokens", () => {
  it("are not handed out in production", async () => {
    await using production = await createTestApi({ platform: { givesTestTokens: false } });
    const id = await production.createWorkspace();
    const path = `/admin/workspaces/${id}/test-token`;
    expect((await production.call("GET", path)).status).toBe(404);
    expect((await production.call("GET", path, { token: null })).status).toBe(401);
  });
});

describe("a deployment of an organisation", () => {
  it("is nobody to requests for another one: no body, no header of ours", async () => {
    await using acme = await createTestApi({ platform: { orgId: "acme" } });
    for (const path of ["/", "/workspaces", "/trpc/session.me", "/no/such/route", "/ws"]) {
      const response = await acme.call("GET", path);
      expect(response.status, path).toBe(404);
      expect(await response.text(), path).toBe("");
      expect([...response.headers.keys()], path).toEqual([]);
    }
    expect((await acme.call("OPTIONS", "/workspaces")).status).toBe(404);
    for (const path of ["/health", "/buildinfo", "/metrics"]) {
      expect((await acme.call("GET", path)).status, path).toBe(200);
    }
    const body = { workspace_id: "x" };
    expect((await acme.call("POST", "/registry/heartbeat", { body })).status).toBe(400);
    expect((await acme.call("POST", "/registry/update-card", { body })).status).toBe(404);
  });

  it("answers requests that name it, and still asks for a credential", async () => {
    await using acme = await createTestApi({ platform: { orgId: "acme" } });
    for (const headers of [
      { "x-molecule-org-id": "acme" },
      { "fly-replay-src": "instance=1;state=acme" },
    ]) {
      expect((await acme.call("GET", "/workspaces", { headers })).status).toBe(200);
      expect((await acme.call("GET", "/workspaces", { headers, token: null })).status).toBe(401);
    }
    const headers = { referer: `http://${TEST_HOST}/map` };
    expect((await acme.call("GET", "/workspaces", { headers })).status).toBe(404);
  });

  it("lets its own pages pass where it serves a canvas", async () => {
    await using acme = await createTestApi({ platform: { orgId: "acme", servesCanvas: true } });
    const headers = { referer: `http://${TEST_HOST}/map` };
    expect((await acme.call("GET", "/workspaces", { headers })).status).toBe(200);
  });

  it("refuses sockets as if it were not there", async () => {
    await using acme = await createTestApi({ platform: { orgId: "acme" } });
    const base = await acme.listen();
    const { readEvents } = await import("@molecule/testing/conformance/event-socket");
    const scope = {
      base,
      fill: async (text: string) => text,
      bearer: async () => TEST_ADMIN_TOKEN,
      run: async () => undefined,
    };
    await expect(readEvents(scope, { as: "admin" })).rejects.toThrow("refused with 404");
    const named = { "x-molecule-org-id": "acme" };
    (await readEvents(scope, { as: "admin", headers: named })).close();
  });
});

describe("dev mode", () => {
  const own = { ip: "127.0.0.1", token: null } as const;
  const host = "localhost:8080";

  it("takes requests of this machine for the operator's", async () => {
    await using dev = await createTestApi({ platform: { isDevMode: true, adminToken: null } });
    const ask = (headers: Record<string, string>, more: object = {}) =>
      dev.call("GET", "/workspaces", { ...own, headers: { host, ...headers }, ...more });
    expect((await ask({})).status).toBe(200);
    expect((await ask({ origin: `http://${host}` })).status).toBe(200);
    expect((await ask({}, { token: "wrong" })).status).toBe(401);
    expect((await ask({}, { ip: "172.17.0.2" })).status).toBe(401);
    expect((await ask({}, { ip: "unknown" })).status).toBe(401);
    expect((await ask({ host: "evil.example" })).status).toBe(401);
    expect((await ask({ origin: "https://evil.example" })).status).toBe(401);
    expect((await ask({ "sec-fetch-site": "cross-site" })).status).toBe(401);
    const created = await dev.call("POST", "/workspaces", {
      ...own,
      headers: { host },
      body: { name: "Ada", runtime: "demo" },
    });
    expect(created.status).toBe(201);
  });

  it("is off otherwise", async () => {
    const response = await api.call("GET", "/workspaces", { ...own, headers: { host } });
    expect(response.status).toBe(401);
  });
});

describe("the rate limit of several processes", () => {
  const limiterOf = (limit: number, now = () => new Date()) =>
    new SharedRateLimiter({ db: api.test.db, log, limit, now, settleMs: 3_600_000 });

  it("counts a caller's requests to all of them", async () => {
    const [first, second] = [limiterOf(10), limiterOf(10)];
    const now = new Date();
    for (let use = 0; use < 6; use += 1) first.hit("token:a", now);
    await first.settle();
    for (let use = 0; use < 4; use += 1) expect(second.hit("token:a", now).isExceeded).toBe(false);
    await second.settle();
    expect(second.hit("token:a", now)).toMatchObject({ isExceeded: true, remaining: 0, limit: 10 });
    expect(first.hit("token:a", now).isExceeded).toBe(false);
    await first.settle();
    expect(first.hit("token:a", now).isExceeded).toBe(true);
    expect(first.hit("token:b", now)).toMatchObject({ isExceeded: false, remaining: 9 });
    await first.stop();
    await second.stop();
  });

  it("holds between whole servers on one database", async () => {
    const limit = 40;
    await using first = await createTestApi({ platform: { rateLimit: limit } });
    const second = await startApi(first.deps, async () => null);
    const ask = (api: Pick<TestApi["api"], "answer">) =>
      api.answer(
        new Request(`http://${TEST_HOST}/workspaces`, {
          headers: { host: TEST_HOST, authorization: `Bearer ${TEST_ADMIN_TOKEN}` },
        }),
        { ip: "192.0.2.1" },
      );
    for (let use = 0; use < limit; use += 1) expect((await ask(first.api)).status).toBe(200);
    // Alone it would allow as many again; a second later it knows of those of the other.
    let asked = 0;
    await expect
      .poll(
        async () => {
          asked += 1;
          return (await ask(second)).status;
        },
        { timeout: 25_000, interval: 1_000 },
      )
      .toBe(429);
    expect(asked).toBeLessThan(limit);
    await second.stop();
  });

  it("holds for what an agent tells its person, too", async () => {
    await using first = await createTestApi();
    const id = await first.createWorkspace();
    const second = await startApi(first.deps, async () => null);
    const tell = async (api: Pick<TestApi["api"], "answer">) => {
      const request = new Request(`http://${TEST_HOST}/workspaces/${id}/notify`, {
        method: "POST",
        headers: {
          host: TEST_HOST,
          authorization: `Bearer ${TEST_ADMIN_TOKEN}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({ message: "hi" }),
      });
      return (await api.answer(request, { ip: "192.0.2.1" })).status;
    };
    for (let use = 0; use < NOTIFIES_PER_MINUTE; use += 1) {
      expect(await tell(first.api)).toBe(200);
    }
    let asked = 0;
    await expect
      .poll(
        async () => {
          asked += 1;
          return await tell(second);
        },
        { timeout: 25_000, interval: 1_000 },
      )
      .toBe(429);
    expect(asked).toBeLessThan(NOTIFIES_PER_MINUTE);
    await second.stop();
  });

  it("begins anew after a minute, here and there", async () => {
    let at = Date.now();
    const limiter = limiterOf(2, () => new Date(at));
    for (let use = 0; use < 3; use += 1) limiter.hit("token:c", new Date(at));
    await limiter.settle();
    expect(limiter.hit("token:c", new Date(at)).isExceeded).toBe(true);
    await api.test.sql`
      UPDATE rate_windows SET started_at = cp_now() - interval '61 seconds' WHERE key = 'token:c'`;
    at += 61_000;
    expect(limiter.hit("token:c", new Date(at)).isExceeded).toBe(false);
    await limiter.settle();
    expect(limiter.hit("token:c", new Date(at))).toMatchObject({ isExceeded: false, remaining: 0 });
    await limiter.stop();
  });

  it("goes on by itself while the database is away, and settles it later", async () => {
    const gone = await createTestApi();
    const warnings: string[] = [];
    const warn = (_data: object, message: string) => warnings.push(message);
    const limiter = new SharedRateLimiter({
      db: gone.test.db,
      log: { ...log, warn },
      limit: 3,
      now: () => new Date(),
      settleMs: 3_600_000,
    });
    await gone[Symbol.asyncDispose]();
    const now = new Date();
    for (let use = 0; use < 3; use += 1) expect(limiter.hit("a", now).isExceeded).toBe(false);
    await limiter.settle();
    await limiter.settle();
    expect(warnings).toEqual(["request counts were not settled"]);
    expect(limiter.hit("a", now).isExceeded).toBe(true);
    await limiter.stop();
  });

  it("has no limit at 0 and writes nothing", async () => {
    const limiter = limiterOf(0);
    expect(limiter.hit("token:zero", new Date())).toMatchObject({ limit: 0, isExceeded: false });
    await limiter.settle();
    const rows = await api.test.sql`SELECT 1 FROM rate_windows WHERE key = 'token:zero'`;
    expect(rows).toHaveLength(0);
    await limiter.stop();
  });
});
