import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import postgres from "postgres";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkServer } from "./database.mjs";
import { readPidFile, startPostgres } from "./postgres.mjs";
import { isRunning, markOf, signalProcess, waitUntilGone } from "./processes.mjs";

let home = "";
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), "molecule-pg-int-"));
  chmodSync(home, 0o711);
});
afterEach(async () => {
  const pid = readPidFile(path.join(home, "pg"))?.pid;
  const mark = pid === undefined ? undefined : markOf(pid);
  if (mark !== undefined) {
    signalProcess(mark, "SIGQUIT");
    await waitUntilGone(mark, 10_000);
  }
  rmSync(home, { recursive: true, force: true });
});

async function query<T>(url: string, statement: string): Promise<T[]> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return [...(await sql.unsafe(statement))] as T[];
  } finally {
    await sql.end();
  }
}

describe("the embedded Postgres", () => {
  test("is real, on loopback alone, behind a password, and stops when told", async () => {
    const server = await startPostgres({ home });
    expect(server).toMatchObject({ wasMade: true, wasAdopted: false });
    const settings = await query<Record<string, string>>(
      server.url,
      `SELECT current_setting('listen_addresses') AS addresses, current_setting('fsync') AS fsync,
        current_setting('unix_socket_directories') AS sockets,
        (SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules) AS methods`,
    );
    expect(settings).toEqual([
      { addresses: "127.0.0.1", fsync: "on", sockets: "", methods: "scram-sha-256" },
    ]);
    const wrong = new URL(server.url);
    wrong.password = "wrong";
    await expect(query(wrong.href, "SELECT 1")).rejects.toMatchObject({ code: "28P01" });
    expect(statSync(path.join(home, "pg-password")).mode & 0o777).toBe(0o600);
    expect(statSync(path.join(home, "pg")).mode & 0o777).toBe(0o700);
    await server.stop();
    expect(isRunning(server.mark)).toBe(false);
  });

  test("survives the killed program that started it and is adopted with its data", async () => {
    const script = `import { startPostgres } from ${JSON.stringify(path.join(import.meta.dirname, "postgres.mjs"))};
      const server = await startPostgres({ home: ${JSON.stringify(home)} });
      console.log(JSON.stringify({ pid: server.pid, url: server.url })); setInterval(() => {}, 1000);`;
    const launcher = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(launcher.stdout, "data");
    const first = JSON.parse(String(line)) as { pid: number; url: string };
    await query(first.url, "CREATE TABLE kept AS SELECT 42 AS answer");
    launcher.kill("SIGKILL");
    await once(launcher, "exit");
    const server = await startPostgres({ home });
    expect(server).toMatchObject({ wasAdopted: true, pid: first.pid, url: first.url });
    expect(await query(server.url, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
    await server.stop();
    expect(isRunning(server.mark)).toBe(false);
  });

  test("recovers on the same port after it was killed itself, and ignores a reused process number", async () => {
    const first = await startPostgres({ home });
    await query(first.url, "CREATE TABLE kept AS SELECT 42 AS answer");
    const pidFile = path.join(home, "pg", "postmaster.pid");
    const content = readFileSync(pidFile, "utf8");
    signalProcess(first.mark, "SIGKILL");
    await waitUntilGone(first.mark, 10_000);
    // What a reboot can do: the number in the file is now another program's, here this test's.
    writeFileSync(pidFile, content.replace(String(first.pid), String(process.pid)));
    const second = await startPostgres({ home });
    expect(second).toMatchObject({ wasAdopted: false, port: first.port });
    expect(await query(second.url, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
    await second.stop();
  });

  test("takes another port when its own is taken", async () => {
    const first = await startPostgres({ home });
    await first.stop();
    const { createServer } = await import("node:net");
    const thief = createServer().listen(first.port, "127.0.0.1");
    await once(thief, "listening");
    const second = await startPostgres({ home });
    expect(second.port).not.toBe(first.port);
    await second.stop();
    thief.close();
    await once(thief, "close");
  });

  test("works with a umask that closes everything", async () => {
    const script = `process.umask(0o077);
      const { startPostgres } = await import(${JSON.stringify(path.join(import.meta.dirname, "postgres.mjs"))});
      const server = await startPostgres({ home: ${JSON.stringify(home)} });
      await server.stop(); console.log(server.wasMade);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(child.stdout, "data");
    expect(String(line).trim()).toBe("true");
  });

  test("refuses data of another major version without touching it", async () => {
    const server = await startPostgres({ home });
    await server.stop();
    writeFileSync(path.join(home, "pg", "PG_VERSION"), "17\n");
    await expect(startPostgres({ home })).rejects.toThrow(/made by Postgres 17/);
    expect(readPidFile(path.join(home, "pg"))).toBeUndefined();
  });

  test("says that the password file is missing", async () => {
    const server = await startPostgres({ home });
    await server.stop();
    rmSync(path.join(home, "pg-password"));
    await expect(startPostgres({ home })).rejects.toThrow(/pg-password is missing/);
  });
});

describe("a server of the user's own", () => {
  test("is accepted when it is new enough, and refused in words otherwise", async () => {
    const server = await startPostgres({ home });
    await expect(checkServer(server.url)).resolves.toMatch(/^18\./);
    const wrongPassword = new URL(server.url);
    wrongPassword.password = "wrong";
    await expect(checkServer(wrongPassword.href)).rejects.toThrow("refuses this user or password");
    const wrongName = new URL(server.url);
    wrongName.pathname = "/absent";
    await expect(checkServer(wrongName.href)).rejects.toThrow("does not exist on that server");
    await server.stop();
    await expect(checkServer(server.url, { patienceMs: 0 })).rejects.toThrow("does not answer");
  });
});
