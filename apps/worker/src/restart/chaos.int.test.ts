import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { waitUntil } from "@molecule/testing/wait-until";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseMarker } from "../adapters/process/instance-marker.ts";
import { openProcessTable } from "../adapters/process/process-table.ts";
import { FakeBackend } from "../provisioning/fake-backend.ts";
import { FakePlatform } from "./fake-platform.ts";
import { restartSettings } from "./settings.ts";

/** Times of production divided by a hundred; a lease that two busy cores can keep. */
const SCALE = 0.01;
const LEASE_MS = 800;
/** Agents have been seen to take more than ten on a machine at load 14. */
const BOOT_SECONDS = 20;
const WORKSPACES = 6;
const WORKERS = 2;
const isLong = process.env.MOLECULE_TEST_LONG === "1";
const WRITES = Number(process.env.CHAOS_WRITES ?? (isLong ? 2_000 : 80));
const KILLS = Number(process.env.CHAOS_KILLS ?? (isLong ? 200 : 8));
/** Far more than it takes: what is due in vain for this long is stuck. */
const REST_WITHIN_MS = 180_000;

/** Tells its content to the platform with every beat; ends when it is told that it is superseded. */
const TINY_AGENT = `
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
const read = (name) => { try { return readFileSync(path.join(process.env.WORKSPACE_CONFIG_PATH, name), "utf8"); } catch { return ""; } };
const token = read(".auth_token");
const content = read("note.md");
createServer((req, res) => res.end("ok")).listen(Number(process.env.PORT), "127.0.0.1");
const beat = async () => {
  try {
    const answer = await fetch(process.env.PLATFORM_URL + "/beat", { method: "POST", body: JSON.stringify({ token, content }) });
    await answer.text();
    if (answer.status === 409 || answer.status === 410) process.exit(0);
  } catch {}
  setTimeout(beat, 150);
};
beat();
`;

/** The writes of the test wait the same scaled quiet as the workers do. */
const { lifecycle } = restartSettings({
  scale: SCALE,
  bootTimeoutMs: BOOT_SECONDS * 1_000,
  leaseMs: LEASE_MS,
  pollMs: 50,
  concurrency: 8,
});

/** What an agent said that it runs with. */
interface Reported {
  readonly workspaceId: string;
  readonly attemptNo: number;
  readonly generation: number;
}

let database: TestDatabase;
let home: string;
let worker: string;
let platform: FakePlatform;
let server: Server;
const platformId = randomUUID();
const reports: Reported[] = [];
const workers: ChildProcess[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  home = await mkdtemp(path.join(tmpdir(), "molecule-chaos-"));
  await chmod(home, 0o711);
  const key = randomBytes(32);
  await writeFile(path.join(home, "platform-id"), platformId);
  await writeFile(path.join(home, "secrets.key"), key.toString("base64"));
  await writeFile(path.join(home, "worker.key"), "chaos");
  await writeFile(path.join(home, "agent.mjs"), TINY_AGENT, { mode: 0o644 });
  // Inside the checkout, so that the installed packages are found.
  const folder = path.resolve(import.meta.dirname, "../../dist");
  await mkdir(folder, { recursive: true });
  worker = path.join(folder, `chaos-${process.pid}.mjs`);
  await build({
    entryPoints: [path.resolve(import.meta.dirname, "../main.ts")],
    outfile: worker,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    plugins: [
      {
        name: "installed-packages",
        setup: (bundle) => {
          bundle.onResolve({ filter: /^[^./]/ }, (found) =>
            found.path.startsWith("@molecule/") || found.kind === "entry-point"
              ? undefined
              : { path: found.path, external: true },
          );
        },
      },
    ],
  });
  platform = new FakePlatform({
    db: database.db,
    sql: database.sql,
    backend: new FakeBackend("process"),
    agentsBeat: false,
    masterKey: new Uint8Array(key),
    settings: { lifecycle },
  });
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { token, content } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as {
        token: string;
        content: string;
      };
      platform
        .beatWithToken(token)
        .then(({ status, ref }) => {
          if (ref !== null && status === 200) {
            reports.push({ ...ref, generation: Number(content || 1) });
          }
          response.writeHead(status).end("{}");
        })
        .catch(() => response.writeHead(503).end("{}"));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
}, 60_000);

afterAll(async () => {
  for (const child of workers) child.kill("SIGKILL");
  const table = await openProcessTable();
  for (const one of await table.list()) {
    if (parseMarker(platformId, one.marker) !== null) process.kill(one.pid, "SIGKILL");
  }
  server.closeAllConnections();
  server.close();
  await platform.stop();
  await rm(home, { recursive: true, force: true });
  await rm(worker, { force: true });
  await database.close();
}, 60_000);

/** Starts a worker as the launcher does and waits until it works. */
async function startWorker(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [worker], {
    env: {
      PATH: process.env.PATH ?? "",
      DATABASE_URL: database.url,
      MOLECULE_HOME: home,
      MOLECULE_BACKEND: "process",
      PORT: String((server.address() as AddressInfo).port),
      RUNTIME_BUNDLE: path.join(home, "agent.mjs"),
      MOLECULE_SETTLE_SCALE: String(SCALE),
      MOLECULE_LEASE_MS: String(LEASE_MS),
      MOLECULE_POLL_MS: "50",
      MOLECULE_STOP_GRACE_MS: "1000",
      PROVISION_TIMEOUT_SECONDS: String(BOOT_SECONDS),
      LOG_LEVEL: process.env.CHAOS_LOG ?? "error",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  workers.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('"ready":true')) break;
    if (process.env.CHAOS_LOG !== undefined) process.stderr.write(`${line}\n`);
  }
  child.stdout.resume();
  return child;
}

async function killSome(times: number, signal: AbortSignal): Promise<number> {
  let killed = 0;
  while (killed < times && !signal.aborted) {
    await delay(randomInt(100, 900));
    const alive = workers.filter((one) => one.exitCode === null && one.signalCode === null);
    const victim = alive[randomInt(alive.length)];
    if (victim === undefined) continue;
    if (randomInt(3) === 0) {
      // Past its lease another one takes over; woken, it must notice that it is too late.
      victim.kill("SIGSTOP");
      await delay(LEASE_MS * 2);
      victim.kill("SIGCONT");
      continue;
    }
    victim.kill("SIGKILL");
    await once(victim, "exit");
    killed += 1;
    await startWorker();
  }
  return killed;
}

async function writeSome(
  ids: readonly string[],
  times: number,
): Promise<ReadonlyMap<string, number>> {
  const latest = new Map<string, number>();
  for (let count = 0; count < times; count += 1) {
    const id = ids[randomInt(ids.length)] ?? "";
    latest.set(id, await platform.writeNumbered(id, "note.md", randomInt(3) === 0));
    await delay(randomInt(10, 160));
  }
  return latest;
}

describe(`${WRITES} random writes with the worker killed ${KILLS} times`, () => {
  it(
    "lose nothing, rest at what is wanted, and leave no extra process",
    async () => {
      for (let count = 0; count < WORKERS; count += 1) await startWorker();
      const ids: string[] = [];
      for (let count = 0; count < WORKSPACES; count += 1)
        ids.push(await platform.createWorkspace());
      const stop = new AbortController();
      const [killed, latest] = await Promise.all([
        killSome(KILLS, stop.signal),
        writeSome(ids, WRITES),
      ]);
      expect(killed).toBe(KILLS);
      await everythingRests();
      const rows = await database.sql`SELECT id, current_attempt, applied_gen FROM workspaces`;
      for (const row of rows) {
        const own = reports.filter((one) => one.workspaceId === row.id);
        const last = own.findLast((one) => one.attemptNo === Number(row.current_attempt));
        expect(last?.generation).toBe(latest.get(String(row.id)) ?? 1);
      }
      await checkHistory();
      await waitUntil(
        "one process per workspace is left",
        async () => {
          const table = await openProcessTable();
          const left = (await table.list()).filter(
            (one) => parseMarker(platformId, one.marker) !== null,
          );
          return left.length === WORKSPACES;
        },
        { timeoutMs: 15_000, everyMs: 200 },
      );
    },
    isLong ? 1_800_000 : 480_000,
  );
});

/** Every attempt ran with content at least as new as the generation it answered for. */
async function checkHistory(): Promise<void> {
  const rows = await database.sql`
    SELECT workspace_id, no, snap_gen FROM attempts WHERE snap_gen IS NOT NULL AND outcome = 'ready'`;
  expect(rows.length).toBeGreaterThanOrEqual(WORKSPACES);
  const stale = rows.filter((row) => {
    const seen = reports.find(
      (one) => one.workspaceId === row.workspace_id && one.attemptNo === Number(row.no),
    );
    return seen !== undefined && seen.generation < Number(row.snap_gen);
  });
  expect(stale).toEqual([]);
}

/** Waits for rest; what does not rest is told with its last attempts. */
async function everythingRests(): Promise<void> {
  const restless = async () =>
    await database.sql`
    SELECT w.id, w.phase, w.desired_gen::int AS desired, w.applied_gen::int AS applied, w.failure,
      w.boot_failures, w.crash_count, w.lease_owner, w.lease_until - cp_now() AS lease_left,
      w.next_action_at - cp_now() AS due_in, w.deadline_at - cp_now() AS deadline_in,
      (SELECT jsonb_agg(to_jsonb(a) ORDER BY a.no) FROM (
        SELECT no, reason, outcome, stage, failure, detail ->> 'sentence' AS sentence, log_excerpt,
          created_at, registered_at, ended_at
        FROM attempts WHERE workspace_id = w.id ORDER BY no DESC LIMIT 6) a) AS attempts
    FROM workspaces w
    WHERE w.phase <> 'READY' OR w.desired_gen <> w.applied_gen OR w.lease_until > cp_now()`;
  try {
    await waitUntil("everything rests", async () => (await restless()).length === 0, {
      timeoutMs: REST_WITHIN_MS,
      everyMs: 200,
    });
  } catch (error) {
    const left = JSON.stringify([...(await restless())], null, 2);
    throw new Error(`These workspaces do not rest:\n${left}`, { cause: error });
  }
}
