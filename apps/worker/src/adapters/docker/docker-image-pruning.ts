import { HELD_REPOSITORY, heldTag, isMadeName } from "@molecule/domain/engine-images";
import type { ListedImage, PrunableImages } from "../../fleet/image-pruner.ts";
import { IMAGE_PLATFORM_LABEL, type RuntimeImages } from "../../images/runtime-images.ts";
import type { Engine } from "./engine.ts";
import { hasStatus } from "./engine-error.ts";
import { asPort } from "./instance-scope.ts";

/** What pruning on a Docker engine is made of. */
export interface DockerPruningOptions {
  readonly engine: Engine;
  readonly images: RuntimeImages;
  readonly platformId: string;
  readonly prefix: string;
  readonly whyNot: () => Promise<string | null>;
}

/** How the engine names an image that has no name. */
const NO_NAME = "<none>";
/** The last name of a big image takes its files with it. */
const REMOVE_TIMEOUT_MS = 120_000;

/** The prunable images of a Docker engine. */
export function createDockerPruning(options: DockerPruningOptions): PrunableImages {
  const { engine, images, platformId, prefix, whyNot } = options;
  return {
    prefix,
    whyNot,
    hold: () =>
      asPort({ doing: "hold the images in use", code: "internal" }, async () => {
        for (const [runtime, reference] of images.known()) {
          if (!isMadeName(reference, prefix)) continue;
          const tag = { repo: HELD_REPOSITORY, tag: heldTag(platformId, runtime) };
          try {
            await engine.call("tag an image", (docker) => docker.getImage(reference).tag(tag));
          } catch (error) {
            // Somebody removed it by hand; the next start makes it again.
            if (!hasStatus(error, 404)) throw error;
          }
        }
      }),
    list: () => asPort({ doing: "list images", code: "internal" }, () => listImages(options)),
    remove: (image) =>
      asPort({ doing: "remove an image", code: "internal" }, () => removeImage(engine, image)),
  };
}

async function listImages({ engine, platformId }: DockerPruningOptions) {
  const [images, containers] = await Promise.all([
    engine.call("list images", (docker) => docker.listImages()),
    engine.call("list containers", (docker) => docker.listContainers({ all: true })),
  ]);
  const used = new Set(containers.map(({ ImageID }) => ImageID));
  return images.map(
    ({ Id, RepoTags, RepoDigests, Labels }): ListedImage => ({
      imageId: Id,
      names: namesOf(RepoTags),
      digests: namesOf(RepoDigests),
      isOwn: Labels?.[IMAGE_PLATFORM_LABEL] === platformId,
      isUsed: used.has(Id),
    }),
  );
}

function namesOf(listed: readonly string[] | null | undefined): readonly string[] {
  return (listed ?? []).filter((name) => !name.includes(NO_NAME));
}

/** By its names, so that a name it has got since keeps it. */
async function removeImage(engine: Engine, image: ListedImage): Promise<boolean> {
  for (const name of image.names.length > 0 ? image.names : [image.imageId]) {
    try {
      await engine.call("remove an image", (docker) => docker.getImage(name).remove(), {
        timeoutMs: REMOVE_TIMEOUT_MS,
      });
    } catch (error) {
      if (hasStatus(error, 409)) return false;
      if (!hasStatus(error, 404)) throw error;
    }
  }
  return true;
}
