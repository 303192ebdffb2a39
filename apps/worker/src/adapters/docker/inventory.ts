import type { Instance } from "../../provisioning/compute-backend.ts";
import { instanceOfListed, latestContainer, listContainers } from "./containers.ts";
import { hasStatus } from "./engine-error.ts";
import { type DockerScope, inspectOurs } from "./instance-scope.ts";
import { splitOutput } from "./streams.ts";
import { isAbandonedTask, removeTask } from "./task-container.ts";

const MAX_LINE_LENGTH = 4096;

/** Every instance of this platform by label; helpers that were left behind are removed. */
export async function listInstances(scope: DockerScope): Promise<readonly Instance[]> {
  const all = await listContainers(scope.engine, scope.platformId);
  const instances: Instance[] = [];
  for (const info of all) {
    if (isAbandonedTask(info, scope.nowMs(), scope.liveTasks)) {
      await removeTask(scope.engine, info.Id);
    }
    const instance = instanceOfListed(scope.platformId, info);
    if (instance !== null) instances.push(instance);
  }
  return instances;
}

/** The last lines of an attempt's container, or of the latest one; empty when there is none. */
export async function readLogs(
  scope: DockerScope,
  of: { readonly workspaceId: string; readonly attemptNo: number | null },
  lines: number,
): Promise<readonly string[]> {
  const { engine, platformId } = scope;
  const id =
    of.attemptNo === null
      ? (await latestContainer(engine, platformId, of.workspaceId))?.Id
      : (await inspectOurs(scope, { workspaceId: of.workspaceId, attemptNo: of.attemptNo }))?.Id;
  if (id === undefined || lines < 1) return [];
  try {
    const raw = await engine.call("read the log", (docker, abortSignal) =>
      docker.getContainer(id).logs({ stdout: true, stderr: true, tail: lines, abortSignal }),
    );
    const text = splitOutput(raw)
      .merged.toString("utf8")
      .replace(/\r?\n$/, "");
    if (text === "") return [];
    return text
      .split(/\r?\n/)
      .slice(-lines)
      .map((line) => line.slice(0, MAX_LINE_LENGTH));
  } catch (error) {
    if (hasStatus(error, 404, 409)) return [];
    throw error;
  }
}
