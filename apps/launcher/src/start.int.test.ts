import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { waitUntil } from "@molecule/testing/wait-until";
import postgres from "postgres";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type FakeCheckout, makeFakeCheckout } from "./fake-checkout.ts";
import { readPidFile } from "./postgres.mjs";
import { markOf, signalProcess, startTimeOf, waitUntilGone } from "./processes.mjs";

const LINK = /http:\/\/127\.0\.0\.1:\d+\/sign-in\?token=[\w-]{43}/;

// Each test makes a database of its own, which a busy machine takes its time for.
vi.setConfig({ testTimeout: 180_000 });

let checkout: FakeCheckout;
let home = "";
const launchers: ChildProcess[] = [];

beforeAll(async () => {
  checkout = await makeFakeCheckout();
});
afterAll(async () => {
  await checkout[Symbol.asyncDispose]();
});
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), "molecule-start-"));
});
afterEach(async () => {
  for (const launcher of launchers.splice(0)) {
    if (launcher.exitCode === null && launcher.signalCode === null) {
      launcher.kill("SIGTERM");
      await once(launcher, "exit");
    }
  }
  const pid = postmasterPid();
  const mark = pid === undefined ? undefined : markOf(pid);
  if (mark !== undefined) {
    signalProcess(mark, "SIGQUIT");
    await waitUntilGone(mark, 10_000);
  }
  rmSync(home, { recursive: true, force: true });
});

const postmasterPid = () => readPidFile(path.join(home, "pg"))?.pid;
const stubLog = () => readFileSync(path.join(home, "stub.log"), "utf8").trim().split("\n");
const pidOf = (name: string): number =>
  JSON.parse(readFileSync(path.join(home, "run", `${name}.json`), "utf8")).pid;
const databaseUrl = () => readFileSync(path.join(home, "run", "database-url"), "utf8").trim();

function launch(env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ["apps/launcher/src/main.mjs"], {
    cwd: checkout.root,
    env: { ...process.env, MOLECULE_HOME: home, PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  launchers.push(child);
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  const ended = once(child, "close").then(([code]) => Number(code));
  const said = (what: string | RegExp) =>
    waitUntil(`the start says ${what}: ${output}`, () => output.match(what), { timeoutMs: 60_000 });
  return { child, ended, said, output: () => output };
}

describe("npm start", () => {
  test("says what it does, prints one link, and SIGTERM stops worker, server and database", async () => {
    const first = launch();
    await first.said("Stop: Ctrl-C");
    expect(first.output()).toContain("embedded Postgres made");
    expect(first.output()).toContain('Agents run on the backend "process". It is a stub.');
    expect(first.output().match(new RegExp(LINK, "g"))).toHaveLength(1);
    const postmaster = postmasterPid() ?? 0;
    first.child.kill("SIGTERM");
    expect(await first.ended).toBe(0);
    expect(stubLog().slice(-2)).toEqual(["worker SIGTERM", "server SIGTERM"]);
    expect(startTimeOf(postmaster)).toBeUndefined();
    expect(readdirSync(path.join(home, "run"))).toEqual([]);
  });

  test("keeps the one-time link as a digest that ends after fifteen minutes, for one owner", async () => {
    const first = launch();
    await first.said(LINK);
    const more = await promisify(execFile)(process.execPath, ["apps/launcher/src/link.mjs"], {
      cwd: checkout.root,
      env: { ...process.env, MOLECULE_HOME: home },
    });
    expect(more.stdout).toMatch(LINK);
    const sql = postgres(databaseUrl(), { max: 1 });
    const rows = await sql`
      SELECT m.role, l.used_at, octet_length(l.token_sha256) AS bytes,
        round(extract(epoch FROM l.expires_at - l.created_at) / 60)::int AS minutes
      FROM sign_in_links l JOIN members m ON m.id = l.member_id`;
    const owners = await sql`SELECT count(*)::int AS count FROM members`;
    await sql.end();
    const row = { role: "owner", used_at: null, bytes: 32, minutes: 15 };
    expect([...rows]).toEqual([row, row]);
    expect(owners[0]?.count).toBe(1);
  });

  test("killed with -9: server and worker end by themselves, the next start adopts the database", async () => {
    const first = launch();
    await first.said(LINK);
    const pids = [pidOf("server"), pidOf("worker")];
    first.child.kill("SIGKILL");
    await first.ended;
    await waitUntil("both are gone", () => pids.every((pid) => startTimeOf(pid) === undefined));
    expect(stubLog().filter((line) => line.endsWith("stdin"))).toHaveLength(2);
    const second = launch();
    await second.said(LINK);
    expect(second.output()).toContain("was still running");
  });

  test("a second one on the same data folder is refused and changes nothing", async () => {
    const first = launch();
    await first.said(LINK);
    const second = launch();
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain(`already runs on the data folder ${home}`);
    expect(startTimeOf(pidOf("server"))).toBeDefined();
  });

  test("starts a crashed worker and a crashed database again and says so", async () => {
    const first = launch();
    await first.said(LINK);
    const worker = pidOf("worker");
    process.kill(worker, "SIGKILL");
    await first.said(/The worker ended \(SIGKILL\)/);
    await waitUntil("another worker runs", () => {
      return existsSync(path.join(home, "run/worker.json")) && pidOf("worker") !== worker;
    });
    process.kill(postmasterPid() ?? 0, "SIGKILL");
    await first.said("The database runs again.");
    const sql = postgres(databaseUrl(), { max: 1 });
    expect(await sql`SELECT count(*)::int AS count FROM members`).toMatchObject([{ count: 1 }]);
    await sql.end();
  });

  test("does not take the Ctrl-C that npm repeats for a second one", async () => {
    const first = launch();
    await first.said(LINK);
    first.child.kill("SIGINT");
    first.child.kill("SIGINT");
    expect(await first.ended).toBe(0);
    expect(stubLog().slice(-2)).toEqual(["worker SIGTERM", "server SIGTERM"]);
  });

  test("is refused in words when a program cannot start, and leaves nothing running", async () => {
    const first = launch({ STUB_FATAL: "server" });
    expect(await first.ended).toBe(1);
    expect(first.output()).toContain("The stub cannot start.\nDo not ask it to.");
    expect(postmasterPid()).toBeUndefined();
    expect(readdirSync(path.join(home, "run"))).toEqual([]);
  });

  test("is refused in words when the schema is of a newer release", async () => {
    const first = launch();
    await first.said(LINK);
    const sql = postgres(databaseUrl(), { max: 1 });
    await sql`INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('later', 4102444800000)`;
    await sql.end();
    first.child.kill("SIGTERM");
    await first.ended;
    const second = launch();
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain("was used by a newer release of Molecule (1 migrations");
    expect(postmasterPid()).toBeUndefined();
  });

  test("uses DATABASE_URL instead of the embedded database", async () => {
    const first = launch();
    await first.said(LINK);
    const url = databaseUrl();
    const other = mkdtempSync(path.join(tmpdir(), "molecule-start-other-"));
    const second = launch({ DATABASE_URL: url, MOLECULE_HOME: other });
    await second.said(LINK);
    expect(second.output()).toMatch(/Postgres 18\.\d+ at 127\.0\.0\.1:\d+\/molecule/);
    expect(existsSync(path.join(other, "pg"))).toBe(false);
    second.child.kill("SIGTERM");
    expect(await second.ended).toBe(0);
    expect(startTimeOf(postmasterPid() ?? 0)).toBeDefined();
    rmSync(other, { recursive: true, force: true });
  });
});
