import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import { waitUntil } from "@molecule/testing/wait-until";
import { describe, expect, it } from "vitest";
import { createAgentPackages } from "../../provisioning/agent-packages.ts";
import { computeBackendContract } from "../../provisioning/compute-backend.contract.ts";
import type { ComputeBackend, Instance, InstanceSpec } from "../../provisioning/compute-backend.ts";
import { createProcessBackend, type ProcessBackendOptions } from "./process-backend.ts";
import { openProcessTable } from "./process-table.ts";

/**
 * Stands in for the bundled runtime: the same environment, the same `fs` command, a page at the same
 * address. `SPAWNS` makes it start children that try to outlive it, `IGNORES_TERM` makes it stubborn.
 */
const TINY_RUNTIME = `
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
if (process.argv[2] === "fs") {
  const { op, root, path: at = "", content } = JSON.parse(readFileSync(0, "utf8"));
  const full = path.join(root, at);
  const walk = (dir) => readdirSync(dir, { withFileTypes: true }).flatMap((e) => e.isDirectory()
    ? [{ path: path.relative(root, path.join(dir, e.name)), size: 0, dir: true }, ...walk(path.join(dir, e.name))]
    : [{ path: path.relative(root, path.join(dir, e.name)), size: statSync(path.join(dir, e.name)).size, dir: false }]);
  let answer = { ok: true };
  try {
    if (op === "list") answer = { ok: true, entries: walk(full), truncated: false };
    if (op === "read") answer = { ok: true, content: readFileSync(full).toString("base64") };
    if (op === "write") { mkdirSync(path.dirname(full), { recursive: true }); writeFileSync(full, Buffer.from(content, "base64")); }
    if (op === "remove") rmSync(full);
  } catch { answer = { ok: false, code: "not_found", sentence: "There is no such file." }; }
  process.stdout.write(JSON.stringify(answer));
} else {
  if (process.env.IGNORES_TERM) process.on("SIGTERM", () => {});
  if (process.env.SPAWNS) {
    const code = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)";
    spawn(process.execPath, ["-e", code], { stdio: "ignore" });
    spawn(process.execPath, ["-e", code], { stdio: "ignore", detached: true, env: { PATH: "/bin" } }).unref();
  }
  console.log("uid", process.getuid());
  createServer((req, res) => res.end(JSON.stringify(process.env))).listen(Number(process.env.PORT), process.env.HOST_BIND);
}
`;

const isRoot = userInfo().uid === 0;

interface Bench {
  readonly backend: ComputeBackend;
  readonly options: ProcessBackendOptions;
  readonly home: string;
  close(): Promise<void>;
}

async function openBench(over: Partial<ProcessBackendOptions> = {}): Promise<Bench> {
  const home = await mkdtemp(path.join(tmpdir(), "molecule-process-"));
  await chmod(home, 0o711);
  const runtimeBundle = path.join(home, "runtime.mjs");
  await writeFile(runtimeBundle, TINY_RUNTIME, { mode: 0o644 });
  const options: ProcessBackendOptions = {
    platformId: randomUUID(),
    home,
    platformPort: 8080,
    nodePath: process.execPath,
    runtimeBundle,
    isRoot,
    userName: userInfo().username,
    inherited: { PATH: process.env.PATH ?? "" },
    stopGraceMs: 3_000,
    agents: createAgentPackages({
      sourceFolder: path.join(home, "none"),
      installFolder: path.join(home, "agents"),
      inherited: {},
    }),
    ...over,
  };
  const backend = await createProcessBackend(options);
  const close = async () => {
    for (const instance of await backend.list()) {
      await backend.remove(instance, new AbortController().signal);
    }
    await rm(home, { recursive: true, force: true });
  };
  return { backend, options, home, close };
}

const pidOf = (instance: Instance) => Number(instance.providerId.split(":")[0]);
const never = new AbortController().signal;
const specOf = (over: Partial<InstanceSpec> = {}): InstanceSpec => ({
  workspaceId: randomUUID(),
  attemptNo: 1,
  name: "Ada",
  runtime: "demo",
  tier: 3,
  createToken: randomUUID(),
  env: {},
  files: [],
  removedFiles: [],
  ...over,
});

computeBackendContract("process", async () => {
  const bench = await openBench();
  return {
    backend: bench.backend,
    specDefaults: { name: "Ada", runtime: "demo", tier: 3, env: {} },
    servesHttp: true,
    crash: async (instance) => {
      process.kill(pidOf(instance), "SIGKILL");
      await waitUntil("the instance has exited and says how", async () => {
        const seen = await bench.backend.inspect(instance);
        return seen?.exit === "signal SIGKILL";
      });
    },
    close: bench.close,
  };
});

describe("processes", () => {
  it("leaves no secret of an agent in any file: they are in its environment alone", async () => {
    const bench = await openBench();
    const secrets = Array.from({ length: 20 }, () => `sk-canary-${randomUUID()}`);
    const env = Object.fromEntries(secrets.map((value, n) => [`KEY_${n}`, value]));
    const made = await bench.backend.create(specOf({ env }), never);
    await waitUntil("the runtime answers", () =>
      fetch(`http://${made.address}/`).then(
        async (response) => (await response.text()).includes(secrets[0] ?? "-"),
        () => null,
      ),
    );
    const files = await readdir(bench.home, { recursive: true, withFileTypes: true });
    let looked = 0;
    for (const file of files.filter((one) => one.isFile())) {
      const text = await readFile(path.join(file.parentPath, file.name), "latin1");
      expect(secrets.filter((value) => text.includes(value))).toEqual([]);
      looked += 1;
    }
    expect(looked).toBeGreaterThan(2);
    await bench.close();
  });

  it("keeps the platform's variables from a workspace's secrets and its own from the agent", async () => {
    const bench = await openBench();
    const made = await bench.backend.create(
      specOf({ env: { PORT: "1", HOME: "/", MOLECULE_INSTANCE: "x", OPENAI_API_KEY: "sk-1" } }),
      never,
    );
    const seen = await waitUntil("the runtime answers", async () =>
      fetch(`http://${made.address}/`).then(
        async (response) => (await response.json()) as Record<string, string>,
        () => null,
      ),
    );
    expect(seen.OPENAI_API_KEY).toBe("sk-1");
    expect(seen.PORT).toBe(made.address?.split(":")[1]);
    expect(seen.HOME).toMatch(/\/home$/);
    expect(seen.MOLECULE_INSTANCE).toContain(made.workspaceId);
    expect(Object.keys(seen)).not.toContain("DATABASE_URL");
    await bench.close();
  });

  it("leaves nothing running of an instance that ignores SIGTERM and whose children hide", async () => {
    const bench = await openBench({ stopGraceMs: 300 });
    const made = await bench.backend.create(
      specOf({ env: { SPAWNS: "1", IGNORES_TERM: "1" } }),
      never,
    );
    const table = await openProcessTable();
    const children = await waitUntil("its children run", async () => {
      const found = (await table.list()).filter((one) => one.ppid === pidOf(made));
      return found.length === 2 && found;
    });
    await bench.backend.remove(made, never);
    for (const { pid, startTime } of children) {
      expect(await table.startTimeOf(pid)).not.toBe(startTime);
    }
    expect(await bench.backend.list()).toEqual([]);
    await bench.close();
  });

  it("is found again by a backend that was made anew, with address and log", async () => {
    const bench = await openBench();
    const made = await bench.backend.create(specOf(), never);
    const successor = await createProcessBackend(bench.options);
    expect(await successor.inspect(made)).toEqual(made);
    expect(await successor.list()).toEqual([made]);
    await successor.remove(made, never);
    expect(await bench.backend.inspect(made)).toBeNull();
    await bench.close();
  });

  it("adopts a process whose worker was killed before it recorded the start", async () => {
    const bench = await openBench();
    const spec = specOf();
    const made = await bench.backend.create(spec, never);
    const record = path.join(bench.home, "workspaces", spec.workspaceId, "run", "attempt-1.json");
    const stored = JSON.parse(await readFile(record, "utf8")) as Record<string, unknown>;
    await writeFile(record, JSON.stringify({ ...stored, pid: null, startTime: null }));
    const adopted = await (await createProcessBackend(bench.options)).create(spec, never);
    expect(adopted).toEqual(made);
    await bench.close();
  });

  it("never touches what another platform on this machine runs", async () => {
    const [ours, theirs] = [await openBench(), await openBench()];
    const spec = specOf();
    const other = await theirs.backend.create(spec, never);
    expect(await ours.backend.list()).toEqual([]);
    await ours.backend.remove(spec, never);
    expect(await theirs.backend.inspect(spec)).toEqual(other);
    await ours.close();
    await theirs.close();
  });

  it.runIf(isRoot)("gives every workspace a user of its own and closes its folders", async () => {
    const bench = await openBench();
    const made = [
      await bench.backend.create(specOf(), never),
      await bench.backend.create(specOf(), never),
    ];
    const uids = new Set<number>();
    for (const one of made) {
      const folder = path.join(bench.home, "workspaces", one.workspaceId);
      const owner = (await stat(`/proc/${pidOf(one)}`)).uid;
      uids.add(owner);
      for (const name of ["configs", "workspace", "home", "plugins"]) {
        const found = await stat(path.join(folder, name));
        expect([found.uid, found.mode & 0o777]).toEqual([owner, 0o700]);
      }
      expect((await stat(path.join(folder, "run"))).mode & 0o777).toBe(0o700);
    }
    expect(uids.size).toBe(2);
    expect(Math.min(...uids)).toBeGreaterThanOrEqual(200_000);
    await bench.close();
  });

  it.runIf(isRoot)(
    "ends nothing of another platform on the machine, whose users differ",
    async () => {
      const [ours, theirs] = [await openBench(), await openBench()];
      const [own, other] = [
        await ours.backend.create(specOf(), never),
        await theirs.backend.create(specOf(), never),
      ];
      const [ownUser, otherUser] = [
        (await stat(`/proc/${pidOf(own)}`)).uid,
        (await stat(`/proc/${pidOf(other)}`)).uid,
      ];
      expect(ownUser).not.toBe(otherUser);
      await ours.backend.remove(own, never);
      expect((await theirs.backend.inspect(other))?.state).toBe("running");
      await ours.close();
      await theirs.close();
    },
  );

  it("follows no link that an agent has put into its configuration folder", async () => {
    const bench = await openBench();
    const spec = specOf();
    await bench.backend.create(spec, never);
    await bench.backend.remove(spec, never);
    const { symlink, mkdir } = await import("node:fs/promises");
    const outside = path.join(bench.home, "outside");
    await mkdir(outside);
    await writeFile(path.join(outside, "secret.md"), "kept");
    const configs = path.join(bench.home, "workspaces", spec.workspaceId, "configs");
    await symlink(outside, path.join(configs, "skills"));
    await symlink(path.join(outside, "secret.md"), path.join(configs, "config.yaml"));
    expect(await bench.backend.readConfigs(spec.workspaceId)).toEqual(new Map());
    const file = (at: string) => ({
      path: at,
      content: new TextEncoder().encode("new"),
      mode: 0o644,
    });
    await bench.backend.create(
      { ...spec, attemptNo: 2, files: [file("skills/a.md"), file("config.yaml")] },
      never,
    );
    expect(await readdir(outside)).toEqual(["secret.md"]);
    expect(await readFile(path.join(outside, "secret.md"), "utf8")).toBe("kept");
    await bench.close();
  });
});
