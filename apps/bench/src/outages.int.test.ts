import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { open, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { AttemptView, WorkspaceNode } from "@molecule/contracts/workspaces";
import { createTestDatabase } from "@molecule/testing/database";
import { type Product, startProduct } from "@molecule/testing/product";
import { realPart } from "@molecule/testing/require-real";
import { waitUntil } from "@molecule/testing/wait-until";
import { describe, expect, it } from "vitest";
import { ROOT } from "./baselines.ts";
import { listAgents } from "./instances.ts";
import { Platform } from "./platform.ts";
import { makeShaky } from "./shaky-database.fixture.ts";

/** Time enough on a busy machine; nothing waits that long when it works. */
const SOON = { timeoutMs: 90_000, everyMs: 100 };

const ENV = {
  MOLECULE_BACKEND: "process",
  MOLECULE_SETTLE_SCALE: "0.02",
  // For the test, which asks often.
  RATE_LIMIT: "0",
};

async function query<T>(platform: Platform, procedure: string, input: unknown): Promise<T> {
  const asked = `/trpc/${procedure}?input=${encodeURIComponent(JSON.stringify(input))}`;
  return (await platform.call<{ result: { data: T } }>("GET", asked)).result.data;
}

const nodeOf = (platform: Platform, id: string) =>
  query<WorkspaceNode>(platform, "workspaces.get", { id });
const attemptsOf = (platform: Platform, id: string) =>
  query<AttemptView[]>(platform, "workspaces.attempts", { id });

/** It runs with everything that was saved. */
async function untilAtRest(platform: Platform, id: string): Promise<void> {
  await waitUntil(
    "it runs with what was saved",
    async () => {
      const node = await nodeOf(platform, id).catch(() => null);
      return node?.status === "online" && node.appliedGen === node.desiredGen;
    },
    SOON,
  );
}

async function agentOf(product: Product, id: string) {
  const platformId = (await readFile(path.join(product.home, "platform-id"), "utf8")).trim();
  const all = await listAgents("process", platformId, product.home);
  return all.filter((agent) => agent.workspaceId === id);
}

describe("a database of somebody else's that goes away", () => {
  it("is a 503 with a sentence, stops no agent, loses nothing, and needs nobody when it is back", async () => {
    await using database = await createTestDatabase();
    await using shaky = await makeShaky(database.url);
    await using product = await startProduct({ env: { ...ENV, DATABASE_URL: shaky.url } });
    const platform = new Platform(product.url, product.adminToken);
    const id = await platform.create("Steady");
    await platform.untilOnline(id);
    const kept = `/workspaces/${id}/files/kept.md`;
    await platform.call("PUT", kept, { content: "acknowledged" });
    await shaky.goAway();
    for (const ask of [
      () => platform.call("PUT", kept, { content: "refused" }),
      () => platform.call("GET", `/workspaces/${id}`),
      () => platform.call("POST", "/workspaces", { name: "Late", runtime: "demo" }),
    ]) {
      await expect(ask()).rejects.toThrow(/: 503 .*"error":"[A-Z]/);
    }
    expect(await agentOf(product, id)).toHaveLength(1);
    await shaky.comeBack();
    await untilAtRest(platform, id);
    expect((await platform.call<{ content: string }>("GET", kept)).content).toBe("acknowledged");
    const [agent, ...others] = await agentOf(product, id);
    expect(others).toEqual([]);
    expect(await agent?.readConfig("kept.md")).toBe("acknowledged");
    const reasons = (await attemptsOf(platform, id)).map((attempt) => attempt.reason);
    expect(reasons.toSorted()).toEqual(["create", "files"]);
    expect(await platform.ask(id, "who are you")).toContain("demo agent");
    await platform.call("DELETE", `/workspaces/${id}?confirm=true`);
    await waitUntil(
      "its agent is gone",
      async () => (await agentOf(product, id)).length === 0,
      SOON,
    );
  }, 240_000);
});

/** A small disk of its own, in memory. Null where this user may mount none. */
function mountDisk(options: string): { folder: string; unmount(): void } | null {
  const folder = mkdtempSync(path.join(os.tmpdir(), "molecule-disk-"));
  chmodSync(folder, 0o755);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "molecule-test", folder], {
      stdio: "ignore",
    });
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
  return {
    folder,
    unmount: () => {
      // Lazily: an agent that is being ended may still stand in it.
      execFileSync("umount", ["--lazy", folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

function canMount(): boolean {
  const disk = mountDisk("size=1m");
  disk?.unmount();
  return disk !== null;
}

/** Takes all the space that is left; the file's path. */
async function fill(folder: string): Promise<string> {
  const name = path.join(folder, "filler");
  const file = await open(name, "w");
  try {
    for (const size of [2 ** 20, 4096]) {
      const chunk = Buffer.alloc(size);
      for (;;) {
        const written = await file.write(chunk).catch(() => null);
        if (written === null || written.bytesWritten < size) break;
      }
    }
  } finally {
    await file.close();
  }
  return name;
}

const isMountable = realPart("a disk of its own", canMount(), "run the tests as root");

describe.runIf(isMountable)("a disk", () => {
  it.each([
    ["size=8m,ro", /mounted read-only/],
    ["size=8m", /disk .*is full/],
  ] as const)(
    "mounted with %s is refused at the start with a sentence",
    async (options, says) => {
      const disk = mountDisk(options);
      try {
        await expect(
          startProduct({ home: disk?.folder ?? "", keepHome: true, env: ENV }),
        ).rejects.toThrow(says);
      } finally {
        disk?.unmount();
      }
    },
    120_000,
  );

  it("that is full while running refuses writes with a sentence, loses nothing, and goes on once there is space", async () => {
    const disk = mountDisk("size=400m,mode=755");
    if (disk === null) throw new Error("it could be mounted a moment ago");
    const product = await startProduct({ home: disk.folder, keepHome: true, env: ENV });
    try {
      const platform = new Platform(product.url, product.adminToken);
      const id = await platform.create("Steady");
      await platform.untilOnline(id);
      const filler = await fill(disk.folder);
      let acknowledged = "";
      let refusal = "";
      // What the write-ahead log has room for is still accepted.
      for (let count = 0; refusal === "" && count < 200; count += 1) {
        const content = `${count} ${"x".repeat(500_000)}`;
        await platform.call("PUT", `/workspaces/${id}/files/kept.md`, { content }).then(
          () => {
            acknowledged = content;
          },
          (error: unknown) => {
            refusal = String(error);
          },
        );
      }
      expect(refusal.slice(0, 300)).toMatch(/: 50[37] .*"error":"[A-Z]/);
      await rm(filler);
      await untilAtRest(platform, id);
      if (acknowledged !== "") {
        const file = `/workspaces/${id}/files/kept.md`;
        const { content } = await platform.call<{ content: string }>("GET", file);
        expect(content === acknowledged).toBe(true);
        const [agent] = await agentOf(product, id);
        expect((await agent?.readConfig("kept.md")) === acknowledged).toBe(true);
      }
      const next = await platform.create("Next");
      await platform.untilOnline(next, SOON.timeoutMs);
      for (const attempt of await attemptsOf(platform, id)) {
        expect(attempt.detail.sentence).not.toBe("");
      }
    } finally {
      await product.stop();
      disk.unmount();
    }
  }, 300_000);
});

/** The unprivileged user of every Linux machine. */
const NOBODY = 65_534;
const isRoot = realPart("a second user", process.getuid?.() === 0, "run the tests as root");

/** Everything below a folder and the folder itself, as somebody who looks after it would notice changes. */
function lookAt(folder: string): readonly string[] {
  const below = readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted();
  return [".", ...below].map((name) => {
    const { mode, uid, size, mtimeMs, ctimeMs } = lstatSync(path.join(folder, name));
    return JSON.stringify({ name, mode, uid, size, mtimeMs, ctimeMs });
  });
}

describe.runIf(isRoot)("a data folder that belongs to another user", () => {
  // What root leaves behind, and a folder that is closed to others altogether.
  it.each([0o711, 0o700])("and has the mode %o is refused untouched, with a sentence", (mode) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "molecule-owned-"));
    try {
      // Where that user can read and run it, wherever this checkout and its Node are.
      chmodSync(folder, 0o755);
      const node = path.join(folder, "node");
      copyFileSync(process.execPath, node);
      cpSync(path.join(ROOT, "apps/launcher/src"), path.join(folder, "apps/launcher/src"), {
        recursive: true,
      });
      copyFileSync(path.join(ROOT, "package.json"), path.join(folder, "package.json"));
      const home = path.join(folder, "home");
      for (const name of ["", "pg", "run"]) mkdirSync(path.join(home, name), { mode: 0o700 });
      for (const name of ["platform-id", "secrets.key", "admin-token"]) {
        writeFileSync(path.join(home, name), "somebody else's\n", { mode: 0o600 });
      }
      chmodSync(home, mode);
      const before = lookAt(home);
      const start = spawnSync(node, ["apps/launcher/src/main.mjs"], {
        cwd: folder,
        uid: NOBODY,
        gid: NOBODY,
        env: { PATH: process.env.PATH, MOLECULE_HOME: home },
        encoding: "utf8",
        timeout: 60_000,
      });
      expect(start.stdout).toContain(`The data folder ${home} cannot be written by this user.`);
      expect(start.stdout).toContain("set MOLECULE_HOME to a folder it can write");
      expect(start.stdout).not.toContain("    at ");
      expect(start.status).toBe(1);
      expect(lookAt(home)).toEqual(before);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
