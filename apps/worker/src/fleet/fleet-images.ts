import type { Runtime } from "@molecule/domain/sets";
import type { ImageProgress } from "../images/image-engine.ts";
import type { InstanceKey } from "../provisioning/compute-backend.ts";

/** An image after it was pulled again or made. */
export interface FreshImage {
  readonly reference: string;
  /** The engine's id of it. */
  readonly imageId: string;
  /** From a registry; else it is made here. */
  readonly isPulled: boolean;
}

/** An instance with the image it is made from. */
export interface InstanceImage extends InstanceKey {
  readonly imageId: string;
}

/** The images of one engine, as the work over a whole fleet needs them. */
export interface FleetImages {
  /** A registry is named, so every runtime has an image that can be pulled. */
  readonly isPublished: boolean;
  /** Why the engine cannot be used right now, as a sentence; null when it can. */
  whyNot(): Promise<string | null>;
  /**
   * The runtime's image pulled again whatever its tag is, or made where no registry is named.
   * @throws BackendError when that is not possible now; what is here stays.
   */
  refresh(runtime: Runtime, progress: ImageProgress): Promise<FreshImage>;
  /**
   * This platform's instances. Asked after a refresh it misses none on an older image: what is created
   * later takes the newer one by its name.
   */
  inUse(): Promise<readonly InstanceImage[]>;
  /** The name of the runtime's image when a publisher moves it; null when it stays what it is. */
  movingName(runtime: Runtime): string | null;
  /** The digest that the registry has under this name; null when it does not answer. */
  digestOf(reference: string): Promise<string | null>;
}
