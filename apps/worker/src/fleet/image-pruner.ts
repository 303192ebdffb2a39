import type { Database } from "@molecule/db/database";
import { noteSuperseded } from "@molecule/db/fleet/superseded-images";
import type { Pulse } from "@molecule/db/processes/pulse";
import { type EngineImage, imageVerdict } from "@molecule/domain/engine-images";
import type { Log } from "../runtime/log.ts";
import { RunLoop } from "../runtime/run-loop.ts";
import type { Stoppable } from "../runtime/scope.ts";

/** An image as the engine lists it. */
export interface ListedImage extends EngineImage {
  readonly imageId: string;
}

/** The engine's images, as pruning them needs it. */
export interface PrunableImages {
  /** First part of this platform's images' names. */
  readonly prefix: string;
  /** Why the engine cannot be used right now, as a sentence; null when it can. */
  whyNot(): Promise<string | null>;
  /** Gives what starts are made from a tag of this platform's, so that nobody removes it. */
  hold(): Promise<void>;
  /** Everything that could be one of ours. */
  list(): Promise<readonly ListedImage[]>;
  /** Never by force: false when the engine says that something still needs it. */
  remove(image: ListedImage): Promise<boolean>;
}

/** What the pruner needs. */
export interface ImagePrunerOptions {
  readonly db: Database;
  readonly images: PrunableImages;
  /** How long an image has to be needed by nothing, in ms. */
  readonly graceMs: number;
  readonly everyMs: number;
  readonly firstAfterMs: number;
  readonly pulse?: Pulse | undefined;
  readonly log: Log;
}

/**
 * Removes images that an upgrade or a moved tag has left behind. Remembers in the database since when
 * nothing needs them, so that restarts of the platform do not prolong the grace, and several workers may
 * do it at the same time. SPEC: I20 to I23.
 */
export class ImagePruner implements Stoppable {
  readonly #options: ImagePrunerOptions;
  readonly #loop: RunLoop;

  constructor(options: ImagePrunerOptions) {
    this.#options = options;
    const { everyMs, firstAfterMs, log } = options;
    this.#loop = new RunLoop({
      name: "image pruner",
      everyMs,
      firstAfterMs,
      run: (signal) => this.prune(signal),
      pulse: options.pulse,
      log,
    });
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  /** One round. */
  async prune(signal: AbortSignal): Promise<void> {
    const { db, images, graceMs, log } = this.#options;
    if ((await images.whyNot()) !== null) return;
    // First, so that another platform's round finds what this one needs.
    await images.hold();
    const settings = { prefix: images.prefix, graceMs };
    const listed = await images.list();
    const leftOver = listed.filter((image) => imageVerdict(image, null, settings) !== "keep");
    const ids = leftOver.map(({ imageId }) => imageId);
    const ages = await db.transaction((tx) => noteSuperseded(tx, ids));
    for (const image of leftOver) {
      signal.throwIfAborted();
      const age = ages.get(image.imageId) ?? null;
      if (imageVerdict(image, age, settings) !== "remove") continue;
      if (!(await images.remove(image))) continue;
      log.info(
        { image: image.imageId, names: image.names, unneededForMs: age },
        "an image that nothing needs any more was removed",
      );
    }
  }
}
