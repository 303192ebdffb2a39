import { splitReference } from "./image-reference.ts";

/** An image on an engine that others may share. */
export interface EngineImage {
  /** Its tagged names; empty once its tag has moved on. */
  readonly names: readonly string[];
  /** `name@sha256:…` of the registries it came from. */
  readonly digests: readonly string[];
  /** This platform made it, as its label says. */
  readonly isOwn: boolean;
  /** A container of anybody's is made from it, running or not. */
  readonly isUsed: boolean;
}

/** Which images a platform calls its own, and for how long it leaves them alone. */
export interface PruneSettings {
  /** First part of its images' names. */
  readonly prefix: string;
  readonly graceMs: number;
}

/** What a platform does with an image: it is needed or not ours, it may go later, it goes. */
export type ImageVerdict = "keep" | "wait" | "remove";

/** Whoever starts workspaces from an image that was made on this engine gives it a tag in here. */
export const HELD_REPOSITORY = "molecule/held";

/** The tag by which a platform holds the image it starts a runtime from. */
export function heldTag(platformId: string, runtime: string): string {
  return `${platformId}-${runtime}`;
}

/**
 * True for the name of an image that was made on the engine: its tag ends with a digest of its content,
 * so nobody publishes it and another content never has it.
 */
export function isMadeName(name: string, prefix: string): boolean {
  const { name: repository, tag } = splitReference(name);
  return isOfRuntime(repository, prefix) && /^.+-[0-9a-f]{12}$/.test(tag ?? "");
}

/**
 * Whether an image may be removed. `unneededForMs`: how long it is known as one that nothing needs; null
 * when it was not until now. Kept is what any container is made from; what has a name that this platform
 * did not make up (a published tag, a hold, a person's tag); and what is not of this platform: neither
 * made by it, nor pulled under its prefix and left without a name. SPEC: I20 to I23.
 */
export function imageVerdict(
  image: EngineImage,
  unneededForMs: number | null,
  settings: PruneSettings,
): ImageVerdict {
  if (image.isUsed || !isLeftOver(image, settings.prefix)) return "keep";
  return unneededForMs !== null && unneededForMs >= settings.graceMs ? "remove" : "wait";
}

function isLeftOver({ names, digests, isOwn }: EngineImage, prefix: string): boolean {
  if (names.length > 0) return isOwn && names.every((name) => isMadeName(name, prefix));
  return (
    digests.length > 0 &&
    digests.every((digest) => isOfRuntime(splitReference(digest).name, prefix))
  );
}

function isOfRuntime(repository: string, prefix: string): boolean {
  const start = `${prefix}/runtime-`;
  return repository.startsWith(start) && repository !== `${start}base`;
}
