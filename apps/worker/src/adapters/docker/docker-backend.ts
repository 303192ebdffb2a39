import path from "node:path";
import type { FleetImages } from "../../fleet/fleet-images.ts";
import type { PrunableImages } from "../../fleet/image-pruner.ts";
import type { ImageProgress } from "../../images/image-engine.ts";
import {
  type AgentPackage,
  createRuntimeImages,
  DEFAULT_IMAGE_PREFIX,
} from "../../images/runtime-images.ts";
import type { ComputeBackend } from "../../provisioning/compute-backend.ts";
import { availabilityOf } from "./availability.ts";
import { readConfigs } from "./config-volume.ts";
import { instanceOf, listContainers } from "./containers.ts";
import { createInstance } from "./create-instance.ts";
import { createDockerFleetImages } from "./docker-fleet-images.ts";
import { createDockerPruning } from "./docker-image-pruning.ts";
import { createDockerImages, type RegistryLogin } from "./docker-images.ts";
import { createDockerTerminal } from "./docker-shell.ts";
import { createEngine } from "./engine.ts";
import { engineIdentity } from "./engine-identity.ts";
import { watchEngine } from "./engine-watch.ts";
import { fenceInstance } from "./fence-instance.ts";
import { asPort, type DockerScope, inspectOurs } from "./instance-scope.ts";
import { listInstances, readLogs } from "./inventory.ts";
import { createLiveFiles } from "./live-files.ts";
import { LABEL_TASK } from "./names.ts";
import { createPlatformPlace } from "./platform-place.ts";
import { removeInstance } from "./remove-instance.ts";
import { removeTask, type TaskScope } from "./task-container.ts";
import type { TierOverrides } from "./tiers.ts";
import { deleteVolumes } from "./volumes.ts";

/** What the platform tells its Docker backend. */
export interface DockerBackendOptions {
  readonly platformId: string;
  /** MOLECULE_HOME; half-made base images live below it for a while. */
  readonly home: string;
  readonly version: string;
  /** The platform's public port, as containers reach it through the bridge's gateway. */
  readonly publicPort: number;
  /** MOLECULE_IMAGE_PREFIX, the first part of published images' names; absent: none are pulled. */
  readonly imagePrefix?: string | undefined;
  /** MOLECULE_IMAGE_TAG, their tag; absent means the platform's version. */
  readonly imageTag?: string | undefined;
  /** GHCR_USER and GHCR_TOKEN, for images below `ghcr.io/`; absent: it is asked without a name. */
  readonly registryLogin?: { readonly username: string; readonly password: string } | undefined;
  /** The built `runtime.mjs`; its Dockerfile is `../image/Dockerfile` seen from there. */
  readonly runtimeBundle: string;
  /** The Node binary for a base image that is made without a registry. */
  readonly nodePath: string;
  /** DOCKER_HOST; absent means the engine's usual socket. */
  readonly dockerHost?: string | undefined;
  readonly tierOverrides?: TierOverrides | undefined;
  /** Installs a runtime's agent package where it is missing; null for one that needs none. */
  readonly agentPackage: (runtime: string, progress: ImageProgress) => Promise<AgentPackage | null>;
  /** Unix time in milliseconds. */
  readonly nowMs: () => number;
}

/** The Docker backend and what only it can say. */
export interface DockerBackend extends ComputeBackend {
  /** Images as the work over the whole fleet needs them. */
  readonly images: FleetImages;
  /** The same as somebody sees them who removes what is left over. */
  readonly prunable: PrunableImages;
  /**
   * The address on which the server must listen for containers, the platform's network existing
   * afterwards; null when containers reach this machine another way. May change when somebody
   * removes the network, so ask again with every beat.
   * @throws BackendError when the engine cannot be used.
   */
  bridgeGateway(): Promise<string | null>;
  /**
   * The platform's network and firewall rules are gone, unless a container still runs on them; the
   * next operation makes them again. For the end of the worker.
   */
  close(): Promise<void>;
}

/** A backend on the machine's Docker engine. Nothing is asked of the engine before the first call. */
export function createDockerBackend(options: DockerBackendOptions): DockerBackend {
  const engine = createEngine({ dockerHost: options.dockerHost });
  const imageEngine = createDockerImages(engine, loginFor(options.registryLogin));
  const images = createRuntimeImages({
    ...options,
    engine: imageEngine,
    dockerfile: path.join(path.dirname(options.runtimeBundle), "../image/Dockerfile"),
    workFolder: path.join(options.home, "build"),
  });
  const fleetImages = createDockerFleetImages({ ...options, engine, imageEngine, images });
  const { whyNot } = fleetImages;
  const prefix = options.imagePrefix ?? DEFAULT_IMAGE_PREFIX;
  return backendOn({
    engine,
    watch: watchEngine(engine),
    images,
    fleetImages,
    prunable: createDockerPruning({ ...options, engine, images, prefix, whyNot }),
    place: createPlatformPlace(engine, options),
    platformId: options.platformId,
    publicPort: options.publicPort,
    tierOverrides: options.tierOverrides ?? {},
    nowMs: options.nowMs,
    liveTasks: new Set(),
  });
}

/** Only that one registry learns the login; any other is asked without a name. */
function loginFor(login: DockerBackendOptions["registryLogin"]): RegistryLogin {
  return (reference) => (reference.startsWith("ghcr.io/") ? login : undefined);
}

function backendOn(
  scope: DockerScope & { readonly fleetImages: FleetImages; readonly prunable: PrunableImages },
): DockerBackend {
  const { engine, platformId, images, liveTasks } = scope;
  const tasks: TaskScope = { engine, platformId, images, liveTasks };
  return {
    kind: "docker",
    capabilities: { list: true, console: false, restartInPlace: false, files: true, fence: true },
    availability: () => availabilityOf(scope),
    prepare: async (runtime, onProgress, signal) => {
      await images.prepare(runtime, { onProgress, signal });
    },
    readConfigs: (workspaceId) =>
      asPort({ doing: "read the configuration volume", code: "internal" }, () =>
        readConfigs(tasks, workspaceId),
      ),
    create: (spec, signal) => createInstance(scope, spec, signal),
    inspect: (key) =>
      asPort({ doing: "inspect the container", code: "internal" }, async () => {
        const info = await inspectOurs(scope, key);
        return info === null ? null : instanceOf(key, info);
      }),
    remove: (key, signal) =>
      asPort(
        { doing: "stop the container", code: "stop_failed" },
        () => removeInstance(scope, key, signal),
        signal,
      ),
    fence: (key, signal) =>
      asPort(
        { doing: "take the container off its network", code: "stop_failed" },
        () => fenceInstance(scope, key, signal),
        signal,
      ),
    identity: () =>
      asPort({ doing: "ask the engine which one it is", code: "internal" }, () =>
        engineIdentity(engine),
      ),
    ends: () => scope.watch.ends(),
    list: () => asPort({ doing: "list containers", code: "internal" }, () => listInstances(scope)),
    removeVolumes: (workspaceId) =>
      asPort({ doing: "remove the volumes", code: "stop_failed" }, async () => {
        for (const info of await listContainers(engine, platformId, workspaceId)) {
          if (info.Labels[LABEL_TASK] !== undefined) await removeTask(engine, info.Id);
        }
        await deleteVolumes(engine, platformId, workspaceId);
      }),
    logs: (workspaceId, attemptNo, lines) =>
      asPort({ doing: "read the container's log", code: "internal" }, () =>
        readLogs(scope, { workspaceId, attemptNo }, lines),
      ),
    files: createLiveFiles(tasks),
    terminal: createDockerTerminal(scope),
    images: scope.fleetImages,
    prunable: scope.prunable,
    bridgeGateway: () =>
      asPort({ doing: "create the platform's network", code: "create_failed" }, async () => {
        return (await scope.place.settle()).network.gateway;
      }),
    close: () => {
      scope.watch.stop();
      return asPort({ doing: "remove the platform's network", code: "internal" }, () =>
        scope.place.release(),
      );
    },
  };
}
