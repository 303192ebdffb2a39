import type { KeyNeed } from "./model-offer.ts";

/** A key, or several of which one is enough. Source: wire contract §11.2. */
export type EnvNeed = string | { readonly any_of: readonly string[] };

/** What a key may be called. Source: wire contract §11.2. */
export const ENV_NAME = /^[A-Z][A-Z0-9_]{0,127}$/;

/**
 * Each need once, single keys first. A key that is needed for itself settles every group it is in; what
 * is said `above` is not said again. SPEC: OR1.
 */
export function mergeNeeds(needs: readonly EnvNeed[], above: readonly EnvNeed[] = []): EnvNeed[] {
  const isStrict = (need: EnvNeed): need is string => typeof need === "string";
  const strictAbove = new Set(above.filter(isStrict));
  const strict = new Set(needs.filter(isStrict).filter((key) => !strictAbove.has(key)));
  const said = new Set(above.map(groupKey));
  const groups = needs.flatMap((need) => {
    if (isStrict(need)) return [];
    const isSettled = need.any_of.some((key) => strict.has(key) || strictAbove.has(key));
    if (isSettled || said.has(groupKey(need))) return [];
    said.add(groupKey(need));
    return [{ any_of: [...new Set(need.any_of)] }];
  });
  return [...strict, ...groups];
}

function groupKey(need: EnvNeed): string {
  return typeof need === "string" ? need : [...new Set(need.any_of)].sort().join(" or ");
}

/** The keys of which any one is enough. */
export function keysOfNeed(need: EnvNeed): KeyNeed {
  return typeof need === "string" ? [need] : need.any_of;
}

/** The same as the contract writes it. */
export function needOfKeys(keys: KeyNeed): EnvNeed {
  const [first = ""] = keys;
  return keys.length === 1 ? first : { any_of: keys };
}

/** Each need once, in order; two with the same keys are the same. */
export function uniqueNeeds(needs: readonly KeyNeed[]): KeyNeed[] {
  const found = new Map(needs.map((need) => [[...need].sort().join(" or "), need] as const));
  return [...found.values()];
}

/** `A, B or C` for a sentence. */
export function tellNeeds(needs: readonly KeyNeed[]): string {
  return needs.map((need) => need.join(" or ")).join(", ");
}
