import { expect, it } from "vitest";
import { openProcessTable, parsePsLine } from "./process-table.ts";

it("finds this process with its parent, and knows no process that does not exist", async () => {
  const table = await openProcessTable();
  const own = (await table.list()).find((one) => one.pid === process.pid);
  expect(own).toMatchObject({ ppid: process.ppid, uid: process.getuid?.() });
  expect(await table.startTimeOf(process.pid)).toBe(own?.startTime);
  expect(await table.startTimeOf(2 ** 22 + 1)).toBeNull();
});

it("reads a line of ps, with the marker from the environment behind the command", () => {
  const line =
    "  412     1   412   501 S    Mon Jan  5 10:00:00 2026 node runtime.mjs HOME=/x MOLECULE_INSTANCE=p/w/3 A=b";
  expect(parsePsLine(line)).toEqual({
    pid: 412,
    ppid: 1,
    pgid: 412,
    startTime: "Mon Jan  5 10:00:00 2026",
    uid: 501,
    marker: "p/w/3",
  });
  expect(parsePsLine("  9  1  9  0 Z+ Mon Jan  5 10:00:00 2026 (node)")).toBeNull();
  expect(parsePsLine("garbage")).toBeNull();
});
