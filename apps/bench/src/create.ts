import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { freePort, startProduct } from "@molecule/testing/product";
import { ROOT } from "./baselines.ts";
import { hasEngine } from "./instances.ts";
import { Platform } from "./platform.ts";
import type { Row } from "./table.ts";

const ROUNDS = 7;

/** Create → online per backend, against the same runtime started by hand until it answers. */
export async function createRows(): Promise<Row[]> {
  const rows: Row[] = [await backendRow("process", 1_500)];
  if (hasEngine()) rows.push(await backendRow("docker", 2_500));
  else console.log("no Docker engine answers: the row create → online (docker) is absent");
  return rows;
}

async function backendRow(backend: "process" | "docker", bar: number): Promise<Row> {
  await using product = await startProduct({
    // Whoever waits for an agent here asks very often.
    env: { MOLECULE_BACKEND: backend, RATE_LIMIT: "0" },
    timeoutMs: 600_000,
  });
  const platform = new Platform(product.url, product.adminToken);
  const ours: number[] = [];
  const baseline: number[] = [];
  const made: string[] = [];
  // The first one prepares the image or warms the disk cache; the bar is for what comes after.
  await timeCreate(platform, made, 600_000);
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(await timeCreate(platform, made, 60_000));
    baseline.push(await bareRuntimeMs());
  }
  for (const id of made) await platform.call("DELETE", `/workspaces/${id}?confirm=true&purge=true`);
  await untilGone(platform, made);
  return {
    row: `create → online, ${backend}`,
    ours,
    baseline,
    baselineName: "the bare runtime process",
    unit: "ms",
    bar,
  };
}

async function timeCreate(platform: Platform, made: string[], boundMs: number): Promise<number> {
  const started = performance.now();
  const id = await platform.create(`Bench ${made.length + 1}`);
  made.push(id);
  await platform.untilOnline(id, boundMs);
  return performance.now() - started;
}

async function untilGone(platform: Platform, ids: readonly string[]): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    const rows = await platform.call<{ id: string }[]>("GET", "/workspaces");
    if (!rows.some((row) => ids.includes(row.id))) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The runtime's bundle by itself, from spawn to its first answer. */
export async function bareRuntimeMs(): Promise<number> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "molecule-bare-"));
  const port = await freePort();
  const started = performance.now();
  const child = spawn(process.execPath, [path.join(ROOT, "apps/runtime/dist/runtime.mjs")], {
    cwd: folder,
    stdio: "ignore",
    env: {
      PATH: process.env.PATH ?? "",
      HOME: folder,
      WORKSPACE_ID: crypto.randomUUID(),
      WORKSPACE_NAME: "bare",
      WORKSPACE_CONFIG_PATH: folder,
      WORKSPACE_DIR_PATH: folder,
      PLATFORM_URL: "http://127.0.0.1:9",
      MOLECULE_URL: "http://127.0.0.1:9",
      PORT: String(port),
      HOST_BIND: "127.0.0.1",
      AGENT_ADAPTER: "demo",
      MODEL: "demo",
    },
  });
  try {
    while (performance.now() - started < 30_000) {
      const signal = AbortSignal.timeout(5_000);
      const answered = await fetch(`http://127.0.0.1:${port}/health`, { signal }).then(
        () => true,
        () => false,
      );
      if (answered) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return performance.now() - started;
  } finally {
    child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
}
