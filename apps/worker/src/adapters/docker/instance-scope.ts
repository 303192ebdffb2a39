import type { ContainerInspectInfo } from "dockerode";
import type { RuntimeImages } from "../../images/runtime-images.ts";
import type { InstanceKey } from "../../provisioning/compute-backend.ts";
import { inspectContainer } from "./containers.ts";
import type { Engine } from "./engine.ts";
import { type Operation, toBackendError } from "./engine-error.ts";
import type { EngineWatch } from "./engine-watch.ts";
import { containerNameOf, keyFromLabels } from "./names.ts";
import type { PlatformPlace } from "./platform-place.ts";
import type { TierOverrides } from "./tiers.ts";

/** What the Docker backend is made of. */
export interface DockerScope {
  readonly engine: Engine;
  readonly watch: EngineWatch;
  readonly images: RuntimeImages;
  readonly place: PlatformPlace;
  readonly platformId: string;
  /** The platform's public port, as containers reach it through the bridge's gateway. */
  readonly publicPort: number;
  readonly tierOverrides: TierOverrides;
  /** Unix time in milliseconds; only helpers that were left behind are measured with it. */
  readonly nowMs: () => number;
  /** Ids of the helpers that this process uses right now. */
  readonly liveTasks: Set<string>;
}

/** Runs one operation of the port: what the engine threw comes out as a BackendError. */
export async function asPort<T>(
  operation: Operation,
  run: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    // Giving up is the caller's own doing and says nothing about the engine.
    if (signal?.aborted) throw signal.reason;
    throw await toBackendError(error, operation);
  }
}

/** The container of the attempt, when its labels are ours; another platform's does not count. */
export async function inspectOurs(
  scope: DockerScope,
  key: InstanceKey,
  signal?: AbortSignal,
): Promise<ContainerInspectInfo | null> {
  const info = await inspectContainer(scope.engine, containerNameOf(key), { signal });
  return info !== null && isInstance(scope.platformId, key, info) ? info : null;
}

/** Whether the container's labels are those of exactly this attempt of this platform. */
export function isInstance(
  platformId: string,
  key: InstanceKey,
  info: ContainerInspectInfo,
): boolean {
  const labelled = keyFromLabels(platformId, info.Config.Labels);
  return labelled?.workspaceId === key.workspaceId && labelled.attemptNo === key.attemptNo;
}
