import { BackendError } from "../../provisioning/compute-backend.ts";
import type { CallOptions, Engine } from "./engine.ts";
import { hasStatus } from "./engine-error.ts";
import { LABEL_PLATFORM, VOLUME_KINDS, type VolumeKind, volumeNameOf } from "./names.ts";

/**
 * No volume of the workspace's names belongs to another platform: two platforms on one copied
 * database must not share files. Missing ones are made, labelled, by the container that mounts them,
 * and take content and owner (uid 1000) from the image's folder, so that nothing runs as root.
 * @throws BackendError when one does.
 */
export async function assertOwnVolumes(
  engine: Engine,
  platformId: string,
  workspaceId: string,
  call: CallOptions = {},
): Promise<void> {
  await Promise.all(
    VOLUME_KINDS.map(async (kind) => {
      const name = volumeNameOf(workspaceId, kind);
      const labels = await labelsOf(engine, name, call);
      if (labels !== null && labels[LABEL_PLATFORM] !== platformId) throw foreignVolume(name);
    }),
  );
}

/** Whether the workspace has this volume, made by this platform. */
export async function hasVolume(
  engine: Engine,
  platformId: string,
  workspaceId: string,
  kind: VolumeKind,
): Promise<boolean> {
  const labels = await labelsOf(engine, volumeNameOf(workspaceId, kind));
  return labels?.[LABEL_PLATFORM] === platformId;
}

/** The volume's labels; null when the engine confirms that there is no such volume. */
async function labelsOf(
  engine: Engine,
  name: string,
  call: CallOptions = {},
): Promise<Readonly<Record<string, string>> | null> {
  try {
    const volume = await engine.call(
      "inspect a volume",
      (docker, abortSignal) => docker.getVolume(name).inspect({ abortSignal }),
      call,
    );
    return volume.Labels ?? {};
  } catch (error) {
    if (hasStatus(error, 404)) return null;
    throw error;
  }
}

/** The workspace's volumes are gone; one that another platform owns is left alone. */
export async function deleteVolumes(
  engine: Engine,
  platformId: string,
  workspaceId: string,
): Promise<void> {
  for (const kind of VOLUME_KINDS) {
    if (!(await hasVolume(engine, platformId, workspaceId, kind))) continue;
    try {
      await engine.call("remove a volume", (docker, abortSignal) =>
        docker.getVolume(volumeNameOf(workspaceId, kind)).remove({ abortSignal }),
      );
    } catch (error) {
      if (!hasStatus(error, 404)) throw error;
    }
  }
}

function foreignVolume(name: string): BackendError {
  return new BackendError(
    {
      code: "create_failed",
      sentence: `The Docker volume ${name} belongs to another Molecule platform on this engine.`,
      next: "Use that platform, or remove the volume if its content is not needed.",
    },
    { isRetryable: false },
  );
}
