import { BackendError, type InstanceKey } from "../../provisioning/compute-backend.ts";
import { inspectContainer, listContainers } from "./containers.ts";
import { STOP_GRACE_SECONDS } from "./create-options.ts";
import { hasStatus } from "./engine-error.ts";
import { type DockerScope, inspectOurs } from "./instance-scope.ts";
import { keyFromLabels } from "./names.ts";

const STOP_TIMEOUT_MS = (STOP_GRACE_SECONDS + 20) * 1000;
/** How long the engine may take to confirm that a removed container is gone. */
const GONE_TIMEOUT_MS = 30_000;
const GONE_POLL_MS = 100;

/** The attempt's container is gone, as the engine itself says; see `ComputeBackend.remove`. */
export async function removeInstance(
  scope: DockerScope,
  key: InstanceKey,
  signal: AbortSignal,
): Promise<void> {
  const info = await inspectOurs(scope, key, signal);
  const ids = info === null ? await renamed(scope, key, signal) : [info.Id];
  for (const id of ids) await removeContainer(scope, id, signal);
}

/** Containers with the attempt's labels under another name, as a listing shows them. */
async function renamed(
  scope: DockerScope,
  key: InstanceKey,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { engine, platformId } = scope;
  const all = await listContainers(engine, platformId, key.workspaceId, { signal });
  return all
    .filter(({ Labels }) => keyFromLabels(platformId, Labels)?.attemptNo === key.attemptNo)
    .map(({ Id }) => Id);
}

async function removeContainer(scope: DockerScope, id: string, signal: AbortSignal): Promise<void> {
  const { engine } = scope;
  const options = { signal, timeoutMs: STOP_TIMEOUT_MS };
  // Stop first: the runtime ends its turn. A status says that there is nothing left to stop, or that
  // removal by force has to do it.
  await engine
    .call(
      "stop the container",
      (docker, abortSignal) => docker.getContainer(id).stop({ t: STOP_GRACE_SECONDS, abortSignal }),
      options,
    )
    .catch((error: unknown) => {
      if (!hasStatus(error, 304, 404, 409, 500)) throw error;
    });
  await engine
    .call(
      "remove the container",
      (docker, abortSignal) => docker.getContainer(id).remove({ force: true, abortSignal }),
      options,
    )
    .catch((error: unknown) => {
      // 409: a removal is in progress already; the wait below sees its end.
      if (!hasStatus(error, 404, 409)) throw error;
    });
  await untilGone(scope, id, signal);
}

/** Resolves only when the engine itself says 404. */
async function untilGone(scope: DockerScope, id: string, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(GONE_TIMEOUT_MS)]);
  while ((await inspectContainer(scope.engine, id, { signal })) !== null) {
    signal.throwIfAborted();
    if (deadline.aborted) {
      throw new BackendError(
        {
          code: "stop_failed",
          sentence: "The Docker engine did not remove the container in time.",
          next: "Molecule tries again; restart the engine if it goes on.",
        },
        { isRetryable: true },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, GONE_POLL_MS));
  }
}
