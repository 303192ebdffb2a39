import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import { listHolds } from "@molecule/db/sweep/holds";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createProcessBackend } from "../adapters/process/process-backend.ts";
import { createAgentPackages } from "../provisioning/agent-packages.ts";
import type { ComputeBackend } from "../provisioning/compute-backend.ts";
import { until, useRestartBed } from "../restart/restart-bed.fixture.ts";
import { openRealPlatform, type RealPlatform } from "./real-platform.fixture.ts";

const bed = useRestartBed();
const signal = new AbortController().signal;
/** Stands in for the bundled runtime: runs, and ends when it is asked to. */
const RUNTIME = "setInterval(() => {}, 1000);";

let home: string;
let backend: ComputeBackend;
let real: RealPlatform;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), "molecule-sweep-"));
  await chmod(home, 0o711);
  const runtimeBundle = path.join(home, "runtime.mjs");
  await writeFile(runtimeBundle, RUNTIME, { mode: 0o644 });
  backend = await createProcessBackend({
    platformId: randomUUID(),
    home,
    platformPort: 8080,
    nodePath: process.execPath,
    runtimeBundle,
    isRoot: userInfo().uid === 0,
    userName: userInfo().username,
    inherited: { PATH: process.env.PATH ?? "" },
    stopGraceMs: 3_000,
    agents: createAgentPackages({
      sourceFolder: path.join(home, "none"),
      installFolder: path.join(home, "agents"),
      inherited: {},
    }),
  });
  real = openRealPlatform(bed, backend);
});
afterEach(async () => {
  await real.stop();
  for (const instance of await backend.list()) await backend.remove(instance, signal);
  await rm(home, { recursive: true, force: true });
});

const configs = (id: string, file: string) => path.join(home, "workspaces", id, "configs", file);

/** A running agent with a saved file, seen by a probe. */
async function runningAgent(): Promise<string> {
  const { platform, prober } = real;
  const id = await platform.createWorkspace();
  await real.beatUntilReady(id, 1);
  await platform.writeFiles(id, { "kept.md": "acknowledged" });
  await real.beatUntilReady(id, 2);
  await prober.probe();
  await prober.probe();
  return id;
}

describe("on real processes", () => {
  it("heals an agent whose folder was deleted under it: new attempt, new token, its files and its user back", async () => {
    const id = await runningAgent();
    const { platform, prober } = real;
    const [old] = await backend.list();
    const owner = (await stat(configs(id, "kept.md"))).uid;
    await rm(path.join(home, "workspaces", id), { recursive: true });
    await prober.probe();
    await bed.later(11_000);
    await real.beatUntilReady(id, 3);
    expect(await platform.attempts(id)).toMatchObject([{}, {}, { no: 3, reason: "crash" }]);
    expect(await readFile(configs(id, "kept.md"), "utf8")).toBe("acknowledged");
    const token = await readFile(configs(id, ".auth_token"), "utf8");
    expect(token.trim()).toBe(await real.tokenOf(id, 3));
    expect((await stat(configs(id, "kept.md"))).uid).toBe(owner);
    expect((await platform.beatWithToken(await real.tokenOf(id, 2))).status).toBe(409);
    const running = (await backend.list()).filter((one) => one.state === "running");
    expect(running.map((one) => one.attemptNo)).toEqual([3]);
    expect(running[0]?.providerId).not.toBe(old?.providerId);
  });

  it("heals an agent that was killed with its folder", async () => {
    const id = await runningAgent();
    const [old] = await backend.list();
    process.kill(Number(old?.providerId.split(":")[0]), "SIGKILL");
    await until("it has ended", async () => (await backend.list())[0]?.state === "exited");
    await rm(path.join(home, "workspaces", id), { recursive: true });
    await real.prober.probe();
    await bed.later(11_000);
    await real.beatUntilReady(id, 3);
    expect(await readFile(configs(id, "kept.md"), "utf8")).toBe("acknowledged");
    expect(await listHolds(bed.database.db)).toEqual([]);
  });

  it("G7: asks when the whole folder was emptied and nothing runs, and starts nobody by itself", async () => {
    const id = await runningAgent();
    const [old] = await backend.list();
    process.kill(Number(old?.providerId.split(":")[0]), "SIGKILL");
    await until("it has ended", async () => (await backend.list())[0]?.state === "exited");
    await rm(path.join(home, "workspaces"), { recursive: true });
    await real.prober.probe();
    await real.sweeper.sweep(signal);
    expect(await real.platform.see(id)).toMatchObject({ phase: "READY", attempt: 2 });
    expect(await listHolds(bed.database.db)).toMatchObject([
      { backend: "process", kind: "identity", state: "open", evidence: { expected: 1 } },
    ]);
  });
});
