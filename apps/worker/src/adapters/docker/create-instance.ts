import type { ContainerInspectInfo } from "dockerode";
import {
  BackendError,
  type Instance,
  type InstanceSpec,
} from "../../provisioning/compute-backend.ts";
import { packFiles } from "./archive.ts";
import { removeManagedFiles } from "./config-volume.ts";
import { inspectContainer, instanceOf } from "./containers.ts";
import { instanceCreateOptions } from "./create-options.ts";
import { hasStatus } from "./engine-error.ts";
import { asPort, type DockerScope, isInstance } from "./instance-scope.ts";
import { containerNameOf, VOLUME_MOUNTS } from "./names.ts";
import { limitsOfTier } from "./tiers.ts";
import { assertOwnVolumes } from "./volumes.ts";

const START_TIMEOUT_MS = 30_000;
/** How long a name may stay taken by a container that is being made or removed. */
const NAME_TIMEOUT_MS = 15_000;
const NAME_POLL_MS = 50;

/** The attempt's container runs; see `ComputeBackend.create`. */
export async function createInstance(
  scope: DockerScope,
  spec: InstanceSpec,
  signal: AbortSignal,
): Promise<Instance> {
  const dataFolder = await scope.place.dataFolder();
  const operation = { doing: "create the container", code: "create_failed", dataFolder } as const;
  const run = async () => {
    const { id, isFresh } = await createOrAdopt(scope, spec, signal);
    if (isFresh) await fillAndStart(scope, spec, { id, signal });
    const info = await inspectContainer(scope.engine, id, { signal });
    if (info === null) throw conflict("The container was removed while it started.");
    return instanceOf(spec, info);
  };
  return asPort(operation, run, signal);
}

/** A container that has the attempt's name; a fresh one was never started. */
interface Found {
  readonly id: string;
  readonly isFresh: boolean;
}

/** The new container; null when the name is taken. */
async function createContainer(
  scope: DockerScope,
  spec: InstanceSpec,
  signal: AbortSignal,
): Promise<Found | null> {
  const { engine, platformId } = scope;
  const [image, settled] = await Promise.all([
    scope.images.ensure(spec.runtime, { onProgress: () => undefined, signal }),
    scope.place.settle(),
    assertOwnVolumes(engine, platformId, spec.workspaceId, { signal }),
  ]);
  const { name, body } = instanceCreateOptions(spec, {
    platformId,
    image,
    network: settled.network.name,
    hostAddress: settled.network.gateway ?? "host-gateway",
    platformPort: scope.publicPort,
    limits: limitsOfTier(spec.tier, scope.tierOverrides),
  });
  try {
    const container = await engine.call(
      "create the container",
      (docker, abortSignal) => {
        // Name and body apart: the client would put everything, secrets too, into the address.
        const request = { _query: { name }, _body: body, abortSignal };
        return docker.createContainer(request as typeof body);
      },
      { signal },
    );
    return { id: container.id, isFresh: true };
  } catch (error) {
    if (hasStatus(error, 409)) return null;
    if (hasStatus(error, 404)) {
      // The image or the network went away since it was last seen: look again at the next try.
      scope.images.forget(spec.runtime);
      scope.place.forget();
      throw conflict("The image or the network of the container is gone.", error);
    }
    throw error;
  }
}

/** The attempt's one container, made here or by an earlier or simultaneous call. */
async function createOrAdopt(
  scope: DockerScope,
  spec: InstanceSpec,
  signal: AbortSignal,
): Promise<Found> {
  const name = containerNameOf(spec);
  const deadline = AbortSignal.timeout(NAME_TIMEOUT_MS);
  for (;;) {
    const made = await createContainer(scope, spec, signal);
    if (made !== null) return made;
    const info = await inspectContainer(scope.engine, name, { signal });
    if (info !== null) return adopted(scope, spec, info);
    // The name is taken and yet there is no such container: it is being made or removed right now.
    if (deadline.aborted) throw conflict("The container's name did not become free in time.");
    await new Promise((resolve) => setTimeout(resolve, NAME_POLL_MS));
  }
}

function adopted(scope: DockerScope, spec: InstanceSpec, info: ContainerInspectInfo): Found {
  if (isInstance(scope.platformId, spec, info)) {
    return { id: info.Id, isFresh: info.State.Status === "created" };
  }
  const name = containerNameOf(spec);
  throw new BackendError(
    {
      code: "create_failed",
      sentence: `A container named ${name} exists that this platform did not make.`,
      next: `Remove it (docker rm -f ${name}) and retry.`,
    },
    { isRetryable: false },
  );
}

async function fillAndStart(
  scope: DockerScope,
  spec: InstanceSpec,
  at: { readonly id: string; readonly signal: AbortSignal },
): Promise<void> {
  const { engine } = scope;
  if (spec.removedFiles.length > 0) {
    await removeManagedFiles(scope, spec.workspaceId, spec.removedFiles);
  }
  const archive = await packFiles(spec.files);
  await engine.call(
    "place the configuration files",
    (docker, abortSignal) =>
      docker.getContainer(at.id).putArchive(archive, { path: VOLUME_MOUNTS.configs, abortSignal }),
    { signal: at.signal },
  );
  try {
    await engine.call(
      "start the container",
      (docker, abortSignal) => docker.getContainer(at.id).start({ abortSignal }),
      { signal: at.signal, timeoutMs: START_TIMEOUT_MS },
    );
  } catch (error) {
    if (hasStatus(error, 304)) return;
    if (!hasStatus(error, 404)) throw error;
    // Its network is gone, and the address of a new one may differ from what this one was given.
    scope.place.forget();
    await engine
      .call("remove the container", (docker, abortSignal) =>
        docker.getContainer(at.id).remove({ force: true, abortSignal }),
      )
      .catch(() => undefined);
    throw conflict("The platform's network was removed from the engine.", error);
  }
}

function conflict(sentence: string, cause?: unknown): BackendError {
  return new BackendError(
    { code: "create_failed", sentence, next: "Molecule tries again by itself." },
    { isRetryable: true, cause },
  );
}
