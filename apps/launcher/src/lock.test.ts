import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { takeLock } from "./lock.mjs";
import { markOf } from "./processes.mjs";

let folder = "";
let file = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "molecule-lock-"));
  file = path.join(folder, "run", "launcher.json");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the lock", () => {
  test("is held by one process until it is released, and leaves no file", () => {
    const first = takeLock(file, "first");
    expect(takeLock(file, "second")).toMatchObject({ holder: { pid: process.pid, note: "first" } });
    if ("lock" in first) first.lock.release();
    expect(readdirSync(path.dirname(file))).toEqual([]);
    expect(takeLock(file)).toHaveProperty("lock");
  });

  test("of a killed process is taken over", async () => {
    const script = `import { takeLock } from ${JSON.stringify(path.join(import.meta.dirname, "lock.mjs"))};
      takeLock(${JSON.stringify(file)}); console.log("held"); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
    await once(child.stdout, "data");
    expect(takeLock(file)).toMatchObject({ holder: { pid: child.pid } });
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(takeLock(file)).toHaveProperty("lock");
  });

  test("is not kept by another process that was given the same number", () => {
    takeLock(file);
    writeFileSync(file, JSON.stringify({ ...markOf(process.pid), startTime: "before" }));
    expect(takeLock(file)).toHaveProperty("lock");
  });

  test("with unusable content is taken over", () => {
    takeLock(file);
    writeFileSync(file, "{");
    expect(takeLock(file)).toHaveProperty("lock");
    expect(existsSync(file)).toBe(true);
  });
});
