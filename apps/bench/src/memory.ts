import { readdir, readFile } from "node:fs/promises";
import { startProduct } from "@molecule/testing/product";
import { emptyNode, residentMb } from "./baselines.ts";
import type { Row } from "./table.ts";

/** Idle memory of server and worker together, against two Node processes that do nothing. */
export async function memoryRows(): Promise<Row[]> {
  await using product = await startProduct();
  const empty = [await emptyNode(), await emptyNode()];
  try {
    const pids = await childrenOf(product.process.pid ?? 0);
    const ours: number[] = [];
    const baseline: number[] = [];
    for (let sample = 0; sample < 5; sample += 1) {
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      ours.push(total(await Promise.all(pids.map(residentMb))));
      baseline.push(total(await Promise.all(empty.map((child) => residentMb(child.pid ?? 0)))));
    }
    return [
      {
        row: "idle memory, server + worker",
        ours,
        baseline,
        baselineName: "two empty Node processes",
        unit: "MB",
        bar: 250,
      },
    ];
  } finally {
    for (const child of empty) child.kill();
  }
}

const total = (parts: readonly number[]) => parts.reduce((sum, part) => sum + part, 0);

/** Server and worker: the launcher's children that run a bundle of ours. */
export async function childrenOf(parent: number): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    const command = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    const ppid = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    if (ppid === parent && /apps\/(server|worker)\/dist\/main/.test(command))
      found.push(Number(name));
  }
  return found;
}
