import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { startProduct } from "@molecule/testing/product";
import { barePostgresMs, ROOT } from "./baselines.ts";
import type { Row } from "./table.ts";

/**
 * Cold start (packages installed, nothing built, no data) and second start to the printed link,
 * against the same Postgres brought up alone.
 */
export async function startRows(): Promise<Row[]> {
  const cold: number[] = [];
  const second: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const home = await mkdtemp(path.join(os.tmpdir(), "molecule-bench-"));
    bare.push(await barePostgresMs());
    await removeBuilds();
    const first = await startProduct({ home, keepHome: true });
    cold.push(first.readyAfterMs);
    await first.stop();
    const again = await startProduct({ home, keepHome: true });
    second.push(again.readyAfterMs);
    await again.stop();
    await rm(home, { recursive: true, force: true });
  }
  const baselineName = "the same Postgres alone";
  return [
    {
      row: "packages installed → ready",
      ours: cold,
      baseline: bare,
      baselineName,
      unit: "ms",
      bar: 45_000,
    },
    {
      row: "second start → ready",
      ours: second,
      baseline: bare,
      baselineName,
      unit: "ms",
      bar: 6_000,
    },
  ];
}

/** What a fresh clone does not have: builds and turbo's cache of them. */
async function removeBuilds(): Promise<void> {
  const outputs = [
    ...["server", "worker", "runtime", "mcp"].map((app) => `apps/${app}/dist`),
    "apps/canvas/out",
    "apps/canvas/.next",
    ".turbo",
    "node_modules/.cache",
  ];
  for (const output of outputs) {
    await rm(path.join(ROOT, output), { recursive: true, force: true });
  }
}
