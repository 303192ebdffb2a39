/** Tags that a publisher moves to newer images. Source: wire contract §19.1. */
const MOVING_TAGS: ReadonlySet<string> = new Set([
  "latest",
  "staging",
  "main",
  "dev",
  "edge",
  "nightly",
  "rolling",
]);

/** Images of the predecessor that were only ever built locally, whatever their tag is called. */
const LEGACY_LOCAL = /^workspace-template:/;

/**
 * True for a reference whose image may be another one tomorrow, so that it is pulled at every start;
 * any other is pulled only where it is missing. A tag is told from a registry's port by the slash
 * that follows the port, and its case counts. SPEC: I1 to I4.
 */
export function isMovingReference(reference: string): boolean {
  if (reference.includes("@sha256:") || LEGACY_LOCAL.test(reference)) return false;
  const { tag } = splitReference(reference);
  return tag === null || tag === "" || MOVING_TAGS.has(tag);
}

/** Name and tag of a reference; a digest counts as the tag, and an absent tag is null. */
export function splitReference(reference: string): {
  readonly name: string;
  readonly tag: string | null;
} {
  const digest = reference.indexOf("@");
  if (digest !== -1) return { name: reference.slice(0, digest), tag: reference.slice(digest + 1) };
  const colon = reference.lastIndexOf(":");
  if (colon === -1 || reference.includes("/", colon)) return { name: reference, tag: null };
  return { name: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}
