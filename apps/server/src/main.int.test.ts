import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let test: TestDatabase;
let home: string;

beforeAll(async () => {
  test = await createTestDatabase();
  home = await mkdtemp(path.join(tmpdir(), "server-"));
  await writeFile(path.join(home, "secrets.key"), randomBytes(32).toString("base64"));
  await writeFile(path.join(home, "worker.key"), randomBytes(32).toString("base64"));
  await writeFile(path.join(home, "platform-id"), randomUUID());
});
afterAll(async () => {
  await rm(home, { recursive: true });
  await test.close();
});

/** The real process, from its source. */
function start(env: Record<string, string> = {}) {
  const child = spawn(
    process.execPath,
    ["--import", "tsx", path.resolve(import.meta.dirname, "main.ts")],
    {
      env: {
        ...process.env,
        DATABASE_URL: test.url,
        MOLECULE_HOME: home,
        ADMIN_TOKEN: "operator",
        PORT: "0",
        MOLECULE_EXIT_WITH_STDIN: "1",
        ...env,
      },
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += String(chunk);
    });
  }
  const lines = () =>
    output.split("\n").flatMap((line) => {
      try {
        return [JSON.parse(line) as Record<string, unknown>];
      } catch {
        return [];
      }
    });
  const ready = () =>
    waitUntil("it is ready", () => lines().find((line) => line.ready === true), {
      timeoutMs: 30_000,
    });
  return { child, lines, ready, output: () => output };
}

const SHA = "0123456789abcdef0123456789abcdef01234567";

describe("dev mode of the server process", () => {
  const dev = { MOLECULE_ENV: "dev", ADMIN_TOKEN: "", MOLECULE_EXIT_WITH_STDIN: "" };

  it("is on when it was started by hand and listens on loopback", async () => {
    const { child, ready } = start(dev);
    const { port } = await ready();
    const response = await fetch(`http://127.0.0.1:${port}/workspaces`);
    expect(response.status).toBe(200);
    expect(response.headers.get("x-ratelimit-limit")).toBe("unlimited");
    child.kill("SIGTERM");
    await once(child, "exit");
  });

  it("is off when a launcher started it, and its build is told by GIT_SHA", async () => {
    const { child, ready } = start({ ...dev, MOLECULE_EXIT_WITH_STDIN: "1", GIT_SHA: SHA });
    const { port } = await ready();
    const base = `http://127.0.0.1:${port}`;
    expect((await fetch(`${base}/workspaces`)).status).toBe(401);
    expect(await (await fetch(`${base}/buildinfo`)).json()).toEqual({ git_sha: SHA });
    child.kill("SIGTERM");
    await once(child, "exit");
  });
});

describe("what a build knows of its commit", () => {
  it("is put in at build", async () => {
    const outdir = await mkdtemp(path.join(tmpdir(), "server-build-"));
    const build = spawn(process.execPath, ["build.mjs", outdir], {
      cwd: path.resolve(import.meta.dirname, ".."),
      env: { ...process.env, GIT_SHA: SHA },
      stdio: "ignore",
    });
    const [code] = await once(build, "exit");
    expect(code).toBe(0);
    const program = await readFile(path.join(outdir, "main.js"), "utf8");
    expect(program).toContain(`"${SHA}"`);
    await rm(outdir, { recursive: true });
  });
});

describe("the server process", () => {
  it("says when it is ready, answers, and ends in order on SIGTERM with an open stream", async () => {
    const { child, ready, output } = start();
    const { port } = await ready();
    const base = `http://127.0.0.1:${port}`;
    expect(await (await fetch(`${base}/health`)).json()).toEqual({ status: "ok" });
    const headers = { authorization: "Bearer operator" };
    const stream = await fetch(`${base}/events/stream`, { headers });
    expect(stream.status).toBe(200);
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
    expect(output()).not.toContain("operator");
    await stream.body?.cancel().catch(() => undefined);
  });

  it("ends when whoever started it is gone", async () => {
    const { child, ready } = start();
    await ready();
    child.stdin.end();
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
  });

  it("says in a sentence that its port is taken", async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
    const address = blocker.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { child, lines } = start({ PORT: String(port) });
    const [code] = await once(child, "exit");
    expect(code).not.toBe(0);
    expect(lines().find((line) => line.fatal === true)).toMatchObject({
      error: "The port is taken by another program.",
      next: expect.stringContaining("PORT"),
    });
    blocker.close();
  });

  it("names the variable that is missing", async () => {
    const { child, output } = start({ DATABASE_URL: "" });
    await once(child, "exit");
    expect(output()).toContain("DATABASE_URL");
  });
});
