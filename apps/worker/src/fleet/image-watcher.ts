import { type Claim, claimDue } from "@molecule/db/claim";
import type { Database } from "@molecule/db/database";
import {
  endLook,
  findWatched,
  rememberDigest,
  type WatchedImage,
  watchImage,
} from "@molecule/db/fleet/watched-images";
import type { Pulse } from "@molecule/db/processes/pulse";
import { watchVerdict } from "@molecule/domain/image-watch";
import { PLATFORM_ACTOR, RUNTIMES } from "@molecule/domain/sets";
import type { SettleSettings } from "@molecule/domain/settle";
import type { Log } from "../runtime/log.ts";
import { RunLoop } from "../runtime/run-loop.ts";
import type { Stoppable } from "../runtime/scope.ts";
import type { FleetImages } from "./fleet-images.ts";
import { whileLeased } from "./lease.ts";
import { refreshImages } from "./refresh-images.ts";

/** What the watcher needs. */
export interface ImageWatcherOptions {
  readonly db: Database;
  /** Id of this worker; the owner of its leases. */
  readonly owner: string;
  readonly images: FleetImages;
  readonly settle: SettleSettings;
  readonly leaseMs: number;
  /** Time between two looks at one image, in ms. */
  readonly everyMs: number;
  readonly pulse?: Pulse | undefined;
  readonly log: Log;
}

/** Workers ask for due images this often between two looks. */
const ROUNDS_PER_LOOK = 10;

/**
 * Looks after images whose tag moves: asks the registry for their digest and refreshes what has another
 * one. The digest lives in the database and a look is a lease, so of several workers one looks, and a
 * restarted one knows what was seen before. SPEC: I11 to I13. Source: wire contract §18.
 */
export class ImageWatcher implements Stoppable {
  readonly #options: ImageWatcherOptions;
  readonly #loop: RunLoop;

  constructor(options: ImageWatcherOptions) {
    this.#options = options;
    this.#loop = new RunLoop({
      name: "image watcher",
      everyMs: options.everyMs / ROUNDS_PER_LOOK,
      run: (signal) => this.#round(signal),
      pulse: options.pulse,
      log: options.log,
    });
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { db, owner, leaseMs, images, log } = this.#options;
    for (const runtime of RUNTIMES) {
      const reference = images.movingName(runtime);
      if (reference !== null) await watchImage(db, { reference, runtime });
    }
    while (!signal.aborted) {
      const [claim] = await claimDue(db, "watched_images", { owner, leaseMs, limit: 1 });
      if (claim === undefined) return;
      await whileLeased({ db, leaseMs, signal, log }, claim, (leased) => this.#look(claim, leased));
    }
  }

  async #look(claim: Claim, signal: AbortSignal): Promise<void> {
    const { db, everyMs, images, log } = this.#options;
    const watched = await findWatched(db, claim);
    if (watched === null) return;
    // The tag or the prefix has been set to something else since: what is remembered stays for its return.
    if (images.movingName(watched.runtime) !== watched.reference) {
      await endLook(db, claim, null);
      return;
    }
    try {
      await this.#follow(claim, watched, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      log.warn({ err: error, image: watched.reference }, "a newer image could not be followed");
    }
    await endLook(db, claim, everyMs);
  }

  async #follow(claim: Claim, watched: WatchedImage, signal: AbortSignal): Promise<void> {
    const { db, images, log } = this.#options;
    const { reference, runtime } = watched;
    const digest = await images.digestOf(reference);
    const verdict = watchVerdict(watched.digest, digest);
    if (verdict === "nothing" || digest === null) return;
    if (verdict === "refresh") {
      log.info({ image: reference }, "an image has changed in its registry");
      const result = await refreshImages(
        this.#options,
        { runtime, recreate: true, actor: PLATFORM_ACTOR },
        { signal, onProgress: () => undefined, onResult: async () => undefined },
      );
      // Not remembered, so that the next look comes to the same and tries again.
      if (result.failed.length > 0) return;
    }
    await rememberDigest(db, claim, { digest, isChange: verdict === "refresh" });
  }
}
