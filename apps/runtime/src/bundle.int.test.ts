import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { FakePlatform } from "@molecule/testing/fake-platform";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);

describe("the built runtime, one file in an empty folder", () => {
  let folder: string;
  let bundle: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "molecule-bundle-"));
    bundle = path.join(folder, "runtime.mjs");
    const build = path.resolve(import.meta.dirname, "../build.mjs");
    await run(process.execPath, [build, bundle]);
    await mkdir(path.join(folder, "root"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const start = async (platform: FakePlatform) => {
    await writeFile(path.join(folder, "root/.auth_token"), platform.token);
    const child = spawn(process.execPath, [bundle], {
      cwd: path.join(folder, "root"),
      env: {
        WORKSPACE_ID: "ws-1",
        PLATFORM_URL: platform.url,
        WORKSPACE_CONFIG_PATH: path.join(folder, "root"),
        WORKSPACE_DIR_PATH: path.join(folder, "root"),
        HOME: path.join(folder, "root"),
        HOST_BIND: "127.0.0.1",
        PORT: "0",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    child.stdout.on("data", (text: Buffer) => {
      out += text.toString();
    });
    child.stderr.on("data", (text: Buffer) => {
      out += `stderr: ${text.toString()}`;
    });
    return { child, exited: once(child, "exit"), output: () => out };
  };

  it("serves, and ends on SIGTERM with code 0 after an idle beat", async () => {
    const platform = await FakePlatform.start();
    const { child, exited, output } = await start(platform);
    await waitUntil("the first beat", () => platform.beats.length > 0);
    child.kill("SIGTERM");
    expect((await exited)[0]).toBe(0);
    expect(platform.beats.at(-1)?.active_tasks).toBe(0);
    const lines = output().trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      "listening",
      "registered",
      "stopping",
      "stopped",
    ]);
    await platform.stop();
  });

  it("ends by itself with code 0 and a line when a newer attempt runs", async () => {
    const platform = await FakePlatform.start();
    platform.onLifeSign = () => ({ status: 409, body: { error: "no", superseded: true } });
    const { exited, output } = await start(platform);
    expect((await exited)[0]).toBe(0);
    expect(output()).toContain("superseded");
    await platform.stop();
  });

  it("ends with code 1 and a sentence when it cannot start", async () => {
    const result = await run(process.execPath, [bundle], { env: {} }).catch(
      (error: unknown) => error,
    );
    expect(result).toMatchObject({ code: 1 });
    expect(String((result as { stdout: string }).stdout)).toContain("WORKSPACE_ID");
  });

  it("answers one file operation on stdin", async () => {
    const child = spawn(process.execPath, [bundle, "fs"], { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin.end(JSON.stringify({ op: "list", root: path.join(folder, "root") }));
    let out = "";
    for await (const text of child.stdout) out += String(text);
    expect(JSON.parse(out)).toMatchObject({ ok: true, truncated: false });
  });
});
