import type { FleetImages } from "../../fleet/fleet-images.ts";
import type { ImageEngine } from "../../images/image-engine.ts";
import type { RuntimeImages } from "../../images/runtime-images.ts";
import { BackendError } from "../../provisioning/compute-backend.ts";
import { listContainers } from "./containers.ts";
import type { Engine } from "./engine.ts";
import { asPort } from "./instance-scope.ts";
import { keyFromLabels } from "./names.ts";

/** Between two looks at a registry there are minutes, so it may take its time. */
const REGISTRY_TIMEOUT_MS = 15_000;
const PING_TIMEOUT_MS = 5_000;

/** What the fleet's images are made of. */
export interface DockerFleetOptions {
  readonly engine: Engine;
  readonly imageEngine: ImageEngine;
  readonly images: RuntimeImages;
  readonly platformId: string;
  readonly imagePrefix?: string | undefined;
}

/** The images of the machine's Docker engine. */
export function createDockerFleetImages(options: DockerFleetOptions): FleetImages {
  const { engine, imageEngine, images, platformId, imagePrefix } = options;
  return {
    isPublished: imagePrefix !== undefined,
    whyNot: () =>
      asPort({ doing: "ask the engine", code: "internal" }, async () => {
        await engine.call("ping", (docker) => docker.ping(), { timeoutMs: PING_TIMEOUT_MS });
        return null;
      }).catch((error: unknown) =>
        error instanceof BackendError ? error.failure.sentence : String(error),
      ),
    refresh: async (runtime, progress) => {
      const { reference, isPulled } = await images.refresh(runtime, progress);
      const imageId = await imageEngine.idOf(reference);
      if (imageId !== null) return { reference, imageId, isPulled };
      throw new BackendError(
        {
          code: "image_unavailable",
          sentence: `${reference} was removed from the engine while it was looked at.`,
          next: "Try again.",
        },
        { isRetryable: true },
      );
    },
    inUse: () =>
      asPort({ doing: "list containers", code: "internal" }, async () => {
        const listed = await listContainers(engine, platformId);
        return listed.flatMap(({ Labels, ImageID }) => {
          const key = keyFromLabels(platformId, Labels);
          return key === null ? [] : [{ ...key, imageId: ImageID }];
        });
      }),
    movingName: (runtime) => images.movingName(runtime),
    digestOf: (reference) => imageEngine.digestOf(reference, REGISTRY_TIMEOUT_MS),
  };
}
