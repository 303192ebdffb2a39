import type { ContainerInfo, ContainerInspectInfo } from "dockerode";
import type { Instance, InstanceKey } from "../../provisioning/compute-backend.ts";
import { RUNTIME_PORT } from "./create-options.ts";
import type { CallOptions, Engine } from "./engine.ts";
import { hasStatus } from "./engine-error.ts";
import { keyFromLabels, LABEL_MANAGED, LABEL_PLATFORM, LABEL_WORKSPACE } from "./names.ts";

/** What the engine says of a container by name or id; null when it confirms that there is none. */
export async function inspectContainer(
  engine: Engine,
  nameOrId: string,
  call: CallOptions = {},
): Promise<ContainerInspectInfo | null> {
  try {
    return await engine.call(
      "inspect the container",
      (docker, abortSignal) => docker.getContainer(nameOrId).inspect({ abortSignal }),
      call,
    );
  } catch (error) {
    if (hasStatus(error, 404)) return null;
    throw error;
  }
}

/** This platform's containers, running or not, of one workspace or of all; helpers included. */
export function listContainers(
  engine: Engine,
  platformId: string,
  workspaceId?: string,
  call: CallOptions = {},
): Promise<ContainerInfo[]> {
  const label = [`${LABEL_MANAGED}=true`, `${LABEL_PLATFORM}=${platformId}`];
  if (workspaceId !== undefined) label.push(`${LABEL_WORKSPACE}=${workspaceId}`);
  return engine.call(
    "list containers",
    (docker, abortSignal) => docker.listContainers({ all: true, filters: { label }, abortSignal }),
    call,
  );
}

/** The workspace's container with the highest attempt; null when it has none. */
export async function latestContainer(
  engine: Engine,
  platformId: string,
  workspaceId: string,
): Promise<ContainerInfo | null> {
  const attemptOf = (info: ContainerInfo): number =>
    keyFromLabels(platformId, info.Labels)?.attemptNo ?? 0;
  const all = await listContainers(engine, platformId, workspaceId);
  const instances = all.filter((info) => attemptOf(info) > 0);
  return instances.sort((a, b) => attemptOf(b) - attemptOf(a))[0] ?? null;
}

/** The port's view of an inspected container. */
export function instanceOf(key: InstanceKey, info: ContainerInspectInfo): Instance {
  const isRunning = info.State.Running;
  const binding = info.NetworkSettings.Ports?.[`${RUNTIME_PORT}/tcp`]?.[0];
  return {
    workspaceId: key.workspaceId,
    attemptNo: key.attemptNo,
    providerId: info.Id,
    state: isRunning ? "running" : "exited",
    address: isRunning && binding?.HostPort ? `127.0.0.1:${binding.HostPort}` : null,
    exit: isRunning ? null : exitOf(info.State),
  };
}

/** `oom` when the memory limit ended it, else the exit code; null for one that never started. */
function exitOf(state: ContainerInspectInfo["State"]): string | null {
  if (state.OOMKilled) return "oom";
  return state.Status === "created" ? null : String(state.ExitCode);
}

const RUNNING_STATES = new Set(["running", "restarting", "paused"]);

/** The port's view of one row of a listing; null when the labels name no instance of ours. */
export function instanceOfListed(platformId: string, info: ContainerInfo): Instance | null {
  const key = keyFromLabels(platformId, info.Labels);
  if (key === null) return null;
  const isRunning = RUNNING_STATES.has(info.State);
  const port = info.Ports.find((entry) => entry.PrivatePort === RUNTIME_PORT)?.PublicPort;
  return {
    ...key,
    providerId: info.Id,
    state: isRunning ? "running" : "exited",
    address: isRunning && port !== undefined ? `127.0.0.1:${port}` : null,
    exit: null,
  };
}
