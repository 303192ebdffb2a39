import { spawn } from "node:child_process";
import { waitUntil } from "@molecule/testing/wait-until";
import { describe, expect, it } from "vitest";
import { descendantsOf, isAlive, killAll } from "./descendants.ts";

describe.runIf(process.platform === "linux")("the descendants of a process", () => {
  it("are found down to the last, also those that were handed to init, and can be ended", async () => {
    const marker = `MOLECULE_AGENT_RUN=test-${process.pid}`;
    const [name, value] = marker.split("=") as [string, string];
    const shell = spawn(
      "sh",
      ["-c", "(setsid sleep 300 &) ; sleep 300 & sh -c 'sleep 300; :' & wait"],
      {
        env: { PATH: "/usr/bin:/bin", [name]: value },
        stdio: "ignore",
      },
    );
    const { pid } = shell;
    if (pid === undefined) throw new Error("sh did not start");
    const marks = await waitUntil("all of them run", async () => {
      const found = await descendantsOf(pid, marker);
      return found.length >= 4 ? found : undefined;
    });
    shell.kill("SIGKILL");
    expect(await killAll(marks, 5_000)).toEqual([]);
    expect(await Promise.all(marks.map(isAlive))).toEqual(marks.map(() => false));
    expect(await descendantsOf(pid, marker)).toEqual([]);
  });

  it("are not confused with a later process of the same number", async () => {
    expect(await isAlive({ pid: process.pid, startedAt: "1" })).toBe(false);
    expect(await killAll([{ pid: process.pid, startedAt: "1" }], 100)).toEqual([]);
  });
});
