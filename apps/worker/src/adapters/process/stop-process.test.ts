import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, it } from "vitest";
import { openProcessTable, type ProcessTable } from "./process-table.ts";
import { stopProcess } from "./stop-process.ts";

const started: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

const UID = 54_321;
const key = { workspaceId: "6d5d98f6-abf9-47b5-8b7b-c9e8f178ebc8", attemptNo: 1 };

/** A process of the workspace's user that shows no marker, as one that does not run its own program yet. */
async function unmarked(
  program = "setInterval(() => {}, 1000)",
): Promise<{ readonly pid: number; readonly table: ProcessTable }> {
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "ignore"] });
  started.push(child);
  await once(child, "spawn");
  const { pid = 0 } = child;
  const real = await openProcessTable();
  const list = async () => {
    const startTime = await real.startTimeOf(pid);
    return startTime === null
      ? []
      : [{ pid, ppid: 1, pgid: pid, startTime, uid: UID, marker: null }];
  };
  return { pid, table: { list, startTimeOf: real.startTimeOf } };
}

const request = (hasLater: boolean) => ({
  platformId: "p",
  key,
  record: null,
  account: { uid: UID, gid: UID },
  graceMs: 0,
  hasLaterAttempt: async () => hasLater,
});

it("ends what has the workspace's user and shed its marker", async () => {
  const { pid, table } = await unmarked();
  await stopProcess(table, request(false));
  expect(await table.startTimeOf(pid)).toBeNull();
});

it("a late stop of an old attempt leaves alone what a newer one is just starting", async () => {
  const { pid, table } = await unmarked();
  await stopProcess(table, request(true));
  expect(await table.startTimeOf(pid)).not.toBeNull();
});

it("reads the whole table once in ten looks while the agent ends by itself", async () => {
  const ends =
    "process.on('SIGTERM', () => setTimeout(() => process.exit(), 1000)); console.log(1); setInterval(() => {}, 1000)";
  const { pid, table } = await unmarked(ends);
  const child = started.at(-1);
  if (child?.stdout) await once(child.stdout, "data");
  let listings = 0;
  let looks = 0;
  const counted: ProcessTable = {
    list: () => {
      listings += 1;
      return table.list();
    },
    startTimeOf: (one) => {
      looks += 1;
      return table.startTimeOf(one);
    },
  };
  await stopProcess(counted, { ...request(false), graceMs: 30_000 });
  expect(await table.startTimeOf(pid)).toBeNull();
  // The first look, the last one, and one in ten of those between them.
  expect(listings).toBeLessThanOrEqual(2 + Math.ceil(looks / 9));
});
