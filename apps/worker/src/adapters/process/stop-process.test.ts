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
async function unmarked(): Promise<{ readonly pid: number; readonly table: ProcessTable }> {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
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
