import os from "node:os";
import type { ContainerInfo } from "dockerode";
import { expect, it } from "vitest";
import { LABEL_TASK } from "./names.ts";
import { isAbandonedTask } from "./task-container.ts";

const NOW = 1_000_000_000;
const OURS = `${os.hostname()}/${process.pid}`;
/** Above every process number of a Linux machine. */
const NOBODY = 2 ** 22 + 1;

function aged(seconds: number, owner?: string): ContainerInfo {
  const labels = owner === undefined ? {} : { [LABEL_TASK]: owner };
  return { Id: "c", Created: NOW / 1000 - seconds, Labels: labels } as unknown as ContainerInfo;
}

it.each([
  ["an agent's container", aged(9_999), [], false],
  ["one of ours in use", aged(200, OURS), ["c"], false],
  ["one of ours just made", aged(5, OURS), [], false],
  ["one of ours that the engine lost us", aged(61, OURS), [], true],
  ["one whose worker died", aged(5, `${os.hostname()}/${NOBODY}`), [], true],
  ["one of a worker elsewhere", aged(200, "elsewhere/1"), [], false],
  ["one that is older than any may be", aged(301, "elsewhere/1"), [], true],
])("%s", (_what, info, live, isAbandoned) => {
  expect(isAbandonedTask(info, NOW, new Set(live))).toBe(isAbandoned);
});
