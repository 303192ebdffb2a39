import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { createAgentPackages } from "../../provisioning/agent-packages.ts";
import type { ComputeBackend } from "../../provisioning/compute-backend.ts";
import { terminalAccessContract } from "../../terminal/terminal-access.contract.ts";
import { createProcessBackend } from "./process-backend.ts";

const isRoot = userInfo().uid === 0;
const never = new AbortController().signal;

async function openBench(allowsTerminal: boolean) {
  const home = await mkdtemp(path.join(tmpdir(), "molecule-shell-"));
  await chmod(home, 0o711);
  const runtimeBundle = path.join(home, "runtime.mjs");
  await writeFile(runtimeBundle, "setInterval(() => {}, 1000);", { mode: 0o644 });
  const backend = await createProcessBackend({
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
    allowsTerminal,
  });
  return { backend, home };
}

async function start(backend: ComputeBackend) {
  const key = { workspaceId: randomUUID(), attemptNo: 1 };
  await backend.create(
    {
      ...key,
      name: "Ada",
      runtime: "demo",
      tier: 3,
      createToken: randomUUID(),
      env: { A_SECRET: "s3cr3t-of-the-test" },
      files: [],
      removedFiles: [],
    },
    never,
  );
  return key;
}

async function access(backend: ComputeBackend) {
  if (backend.terminal === undefined) throw new Error("invariant: it has shells");
  return backend.terminal;
}

terminalAccessContract("process", async () => {
  const { backend, home } = await openBench(true);
  const running = await start(backend);
  const uid = Number(
    await readFile(path.join(home, "workspaces", running.workspaceId, "run/uid"), "utf8").catch(
      () => String(userInfo().uid),
    ),
  );
  return {
    access: await access(backend),
    running,
    secrets: ["s3cr3t-of-the-test", "DATABASE_URL", "SECRETS_ENCRYPTION_KEY", "PLATFORM_URL"],
    uid,
    close: async () => {
      await backend.remove(running, never);
      await rm(home, { recursive: true, force: true });
    },
  };
});

it("is switched off where the operator did not allow it", async () => {
  const { backend, home } = await openBench(false);
  expect((await access(backend)).isOff).toBe(true);
  await rm(home, { recursive: true, force: true });
});

it("ends the shells of an instance together with it", async () => {
  const { backend, home } = await openBench(true);
  const key = await start(backend);
  const shell = await (await access(backend)).openShell(
    { key, terminalId: "t", cols: 80, rows: 24, idleSeconds: 60 },
    never,
  );
  shell?.onOutput(() => undefined);
  await backend.remove(key, never);
  expect(await shell?.ended).toMatchObject({ kind: "exited" });
  await rm(home, { recursive: true, force: true });
}, 30_000);
