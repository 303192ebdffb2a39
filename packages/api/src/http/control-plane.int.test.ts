import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { createCipher } from "@molecule/db/secrets/cipher";
import { FakeControlPlane } from "@molecule/testing/control-plane";
import { freePort } from "@molecule/testing/product";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createWorkerClient } from "../adapters/worker-client.ts";
import { createTestApi, NO_WORKER, TEST_TOKEN_KEY, type TestApi } from "../api.fixture.ts";
import type { WorkerClient } from "../deps.ts";

/**
 * The platform, its worker and somebody else's service that owns machines, each as it really is: the
 * machines fetch the bundled runtime from this platform and boot with their boot token.
 */
const ROOT = path.resolve(import.meta.dirname, "../../../..");
const KEY = randomBytes(32);
const TIMEOUT = { timeoutMs: 90_000 };
let home: string;
let api: TestApi;
let plane: FakeControlPlane;
let worker: ChildProcess;
const logged: string[] = [];
let workerOutput = "";

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "molecule-control-plane-"));
  const runtimeBundle = path.join(home, "runtime.mjs");
  const build = path.join(ROOT, "apps/runtime/build.mjs");
  await promisify(execFile)(process.execPath, [build, runtimeBundle]);
  await writeFile(path.join(home, "secrets.key"), KEY.toString("base64"));
  await writeFile(path.join(home, "token.key"), Buffer.from(TEST_TOKEN_KEY).toString("base64"));
  await writeFile(path.join(home, "worker.key"), randomBytes(32).toString("base64"));
  let client: WorkerClient | null = null;
  api = await createTestApi({
    runtimeBundle,
    cipher: createCipher(KEY),
    onLog: (entry) => logged.push(entry),
    worker: {
      ...NO_WORKER,
      call: async (operation, input) => {
        if (client === null) throw new Error("invariant: the worker is known by then");
        return await client.call(operation, input);
      },
    },
  });
  const keyFile = path.join(home, "worker.key");
  client = createWorkerClient({ db: api.test.db, keyFile, now: () => new Date() });
  const agentPort = await freePort();
  plane = await FakeControlPlane.start({
    sharedSecret: "shared-secret-4711",
    consoleToken: "console-token-4711",
    agentPort,
  });
  worker = spawn(
    process.execPath,
    ["--import", "tsx", path.join(ROOT, "apps/worker/src/main.ts")],
    {
      cwd: path.join(ROOT, "apps/worker"),
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        DATABASE_URL: api.test.url,
        MOLECULE_HOME: home,
        MOLECULE_PLATFORM_ID: randomUUID(),
        MOLECULE_BACKEND: "control-plane",
        MOLECULE_SETTLE_SCALE: "0.1",
        RUNTIME_BUNDLE: runtimeBundle,
        PUBLIC_URL: await api.listen(),
        CP_PROVISION_URL: plane.url,
        MOLECULE_CP_SHARED_SECRET: "shared-secret-4711",
        CP_ADMIN_API_TOKEN: "console-token-4711",
        MOLECULE_CP_AGENT_PORT: String(agentPort),
        // No engine is asked for anything here.
        DOCKER_HOST: "tcp://127.0.0.1:1",
        LOG_LEVEL: "debug",
      },
    },
  );
  for (const stream of [worker.stdout, worker.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      workerOutput += chunk.toString("utf8");
    });
  }
  await waitUntil(
    "the worker offers the backend",
    async () => (await api.test.sql`SELECT 1 FROM workers`).length > 0,
    TIMEOUT,
  );
}, 180_000);

afterAll(async () => {
  const ended = once(worker, "exit");
  worker.kill("SIGTERM");
  await ended;
  await plane.stop();
  await api[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
}, 60_000);

const row = async (id: string) => {
  const [found] = await api.test.sql`
    SELECT w.backend, w.phase, w.current_attempt::int AS attempt, w.failure, s.status, a.log_excerpt
    FROM workspaces w JOIN workspace_statuses s ON s.workspace_id = w.id
    LEFT JOIN attempts a ON a.workspace_id = w.id AND a.no = w.current_attempt WHERE w.id = ${id}`;
  return found;
};
const online = (id: string, attempt: number) =>
  waitUntil(
    `attempt ${attempt} is online`,
    async () => {
      const found = await row(id);
      return found?.status === "online" && found.attempt >= attempt;
    },
    TIMEOUT,
  ).catch(async (error: unknown) => {
    throw new Error(
      `${String(error)}: ${JSON.stringify(await row(id))}\n${workerOutput.slice(-3_000)}`,
    );
  });
const secret = "sk-the-secret-of-the-workspace";

it("runs an agent on somebody else's machines, from its creation to its end", async () => {
  const id = await api.createWorkspace({ name: "Ada", secrets: { API_KEY: secret } });
  await online(id, 1);
  expect((await row(id))?.backend).toBe("control-plane");
  const answer = await api.call("POST", `/workspaces/${id}/a2a`, {
    body: {
      jsonrpc: "2.0",
      id: "1",
      method: "message/send",
      params: {
        message: {
          kind: "message",
          role: "user",
          messageId: randomUUID(),
          parts: [{ kind: "text", text: "hello" }],
        },
      },
    },
  });
  expect(answer.status).toBe(200);
  expect(JSON.stringify(await answer.json())).toContain("artifacts");

  const shown = await api.call("GET", `/workspaces/${id}/console`);
  expect(shown.status).toBe(200);
  const { output } = (await shown.json()) as { output: string };
  expect(output).toMatch(/machine cp-\w+ boots/);
  expect(output).toContain("registered");

  expect((await api.call("POST", `/workspaces/${id}/restart`, { body: {} })).status).toBe(200);
  await online(id, 2);
  expect([plane.made, plane.running().length]).toEqual([2, 1]);

  plane.spoilsRuntimes = true;
  await api.call("POST", `/workspaces/${id}/restart`, { body: {} });
  await waitUntil(
    "the start has failed with its console",
    async () => {
      const [failed] = await api.test.sql`SELECT log_excerpt FROM attempts
        WHERE workspace_id = ${id} AND no >= 3 AND outcome = 'boot_failed' LIMIT 1`;
      return String(failed?.log_excerpt ?? "").includes("the runtime is another one");
    },
    TIMEOUT,
  );
  plane.spoilsRuntimes = false;
  await api.call("POST", `/workspaces/${id}/restart`, { body: {} });
  await online(id, 4);

  const now = Number((await row(id))?.attempt);
  const [running = ""] = plane.running();
  await plane.crash(running);
  await online(id, now + 1);
  expect(plane.running()).toHaveLength(1);

  expect((await api.call("DELETE", `/workspaces/${id}`)).status).toBe(200);
  await waitUntil("no machine is left", async () => plane.running().length === 0, TIMEOUT);
  const left = await waitUntil(
    "its machines are confirmed gone",
    async () => {
      const rows = await api.test.sql`SELECT provider_id FROM machines
        WHERE workspace_id = ${id} AND removed_at IS NULL`;
      return rows.length === 0 ? "none" : undefined;
    },
    TIMEOUT,
  );
  expect(left).toBe("none");
}, 240_000);

it("has neither a secret nor a token in what anybody logged, told or was told", async () => {
  expect(workerOutput).toContain("ready");
  const events = await api.test.sql`SELECT payload::text FROM events`;
  const machines = JSON.stringify(plane.calls);
  expect(machines).toContain("MOLECULE_BOOT_TOKEN");
  expect(machines).not.toContain(secret);
  const told = `${workerOutput} ${logged.join(" ")} ${JSON.stringify(events)}`;
  expect(told).not.toContain(secret);
  expect(told).not.toMatch(/w[sb]t_[\w-]{20}/);
  expect(told).not.toContain("shared-secret-4711");
});

it("says that what runs here has no console", async () => {
  const id = await api.createWorkspace({ name: "Bo", runtime: "external", external: true });
  expect((await api.call("GET", `/workspaces/${id}/console`)).status).toBe(501);
});
