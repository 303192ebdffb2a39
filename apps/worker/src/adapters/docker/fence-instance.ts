import type { InstanceKey } from "../../provisioning/compute-backend.ts";
import { hasStatus } from "./engine-error.ts";
import { type DockerScope, inspectOurs } from "./instance-scope.ts";

/**
 * Takes a container that does not end off every network, with its alias and its published port, and
 * keeps the engine from starting it again; see `ComputeBackend.fence`.
 */
export async function fenceInstance(
  scope: DockerScope,
  key: InstanceKey,
  signal: AbortSignal,
): Promise<void> {
  const { engine } = scope;
  const info = await inspectOurs(scope, key, signal);
  if (info === null) return;
  const call = { signal };
  await engine
    .call(
      "keep the container from starting again",
      (docker, abortSignal) =>
        docker.getContainer(info.Id).update({ RestartPolicy: { Name: "no" }, abortSignal }),
      call,
    )
    // A container that is being removed refuses every change and does not start again either.
    .catch((error: unknown) => {
      if (!hasStatus(error, 404, 409)) throw error;
    });
  for (const name of Object.keys(info.NetworkSettings.Networks)) {
    await engine
      .call(
        "take the container off its network",
        (docker, abortSignal) =>
          docker.getNetwork(name).disconnect({ Container: info.Id, Force: true, abortSignal }),
        call,
      )
      .catch((error: unknown) => {
        // 403, 404: it is not on that network any more, or one of the two is gone.
        if (!hasStatus(error, 403, 404)) throw error;
      });
  }
}
