/** A workspace's place in the hierarchy. */
export interface Placed {
  readonly id: string;
  readonly parentId: string | null;
}

/** Longest walk towards the root. Source: wire contract §5.6. */
export const MAX_ANCESTORS = 32;

/**
 * May `caller` speak to `target`? Allowed: self; the same parent; both root; ancestor and descendant
 * at any depth. A broken or too long chain denies. `parentOf` answers undefined for an unknown id.
 * SPEC: AC1 to AC5.
 */
export function canCommunicate(
  caller: Placed,
  target: Placed,
  parentOf: (id: string) => string | null | undefined,
): boolean {
  if (caller.id === target.id) return true;
  if (caller.parentId === target.parentId) return true;
  return isAncestor(caller.id, target, parentOf) || isAncestor(target.id, caller, parentOf);
}

function isAncestor(
  ancestorId: string,
  from: Placed,
  parentOf: (id: string) => string | null | undefined,
): boolean {
  let current: string | null | undefined = from.parentId;
  for (let step = 0; step < MAX_ANCESTORS; step += 1) {
    if (current === null || current === undefined) return false;
    if (current === ancestorId) return true;
    current = parentOf(current);
  }
  return false;
}
