/** Which value of which secret a workspace has; `version` counts the values of a key. */
export interface SecretState {
  readonly key: string;
  readonly scope: "workspace" | "global";
  readonly version: number;
}

/** What a workspace is started with, as far as two of it can be compared. */
export interface DesiredState {
  /** JSON by the name a person reads. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Hash of the content by path. */
  readonly files: Readonly<Record<string, string>>;
  /** One per key: the workspace's own, else the organisation's. */
  readonly secrets: readonly SecretState[];
}

export type ChangeOf = "added" | "changed" | "removed";

/** How one state differs from another; all three empty when it does not. */
export interface StateDiff {
  readonly settings: readonly {
    readonly name: string;
    readonly before: unknown;
    readonly after: unknown;
  }[];
  readonly files: readonly { readonly path: string; readonly change: ChangeOf }[];
  readonly secrets: readonly {
    readonly key: string;
    readonly scope: SecretState["scope"];
    readonly change: ChangeOf;
  }[];
}

/** Compares two states; names, paths and keys in order of the alphabet. SPEC: CF5. */
export function diffStates(before: DesiredState, after: DesiredState): StateDiff {
  const settings = keysOf(before.settings, after.settings)
    .map((name) => ({ name, before: before.settings[name], after: after.settings[name] }))
    .filter((one) => !isSameJson(one.before, one.after));
  const files = keysOf(before.files, after.files).flatMap((path) => {
    const change = changeOf(before.files[path], after.files[path]);
    return change === null ? [] : [{ path, change }];
  });
  const [was, is] = [byKey(before.secrets), byKey(after.secrets)];
  const secrets = keysOf(was, is).flatMap((key) => {
    const change = changeOf(markOf(was[key]), markOf(is[key]));
    const scope = (is[key] ?? was[key])?.scope ?? "workspace";
    return change === null ? [] : [{ key, scope, change }];
  });
  return { settings, files, secrets };
}

/**
 * What becomes of a secret when a workspace goes back to an earlier state. `restored`: gets its earlier
 * value. `removed`: it was not there. `lost`: the earlier value is no longer kept, so the present one
 * stays. `organisation`: it is not the workspace's own, and stays as it is.
 */
export const SECRET_RETURNS = ["restored", "removed", "lost", "organisation"] as const;
export type SecretReturn = (typeof SECRET_RETURNS)[number];

/**
 * The secrets that going back to `target` touches, or would have to. Only the workspace's own are given
 * back, and only while the earlier value is kept; the organisation's belong to others too. SPEC: CF7.
 */
export function planSecretReturns(
  now: readonly SecretState[],
  target: readonly SecretState[],
  isKept: (secret: SecretState) => boolean,
): readonly { readonly key: string; readonly outcome: SecretReturn }[] {
  const [current, wanted] = [byKey(now), byKey(target)];
  return keysOf(current, wanted).flatMap((key) => {
    const outcome = returnOf(current[key], wanted[key], isKept);
    return outcome === null ? [] : [{ key, outcome }];
  });
}

function returnOf(
  current: SecretState | undefined,
  wanted: SecretState | undefined,
  isKept: (secret: SecretState) => boolean,
): SecretReturn | null {
  if (markOf(current) === markOf(wanted)) return null;
  if (wanted?.scope === "workspace") return isKept(wanted) ? "restored" : "lost";
  return current?.scope === "workspace" ? "removed" : "organisation";
}

/** Equal as JSON, whatever the order of keys; undefined is no value. */
export function isSameJson(a: unknown, b: unknown): boolean {
  return sortedJson(a) === sortedJson(b);
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value ?? null, (_key, part: unknown) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function changeOf(before: string | undefined, after: string | undefined): ChangeOf | null {
  if (before === after) return null;
  if (before === undefined) return "added";
  return after === undefined ? "removed" : "changed";
}

function markOf(secret: SecretState | undefined): string | undefined {
  return secret === undefined ? undefined : `${secret.scope}:${secret.version}`;
}

function byKey(secrets: readonly SecretState[]): Record<string, SecretState> {
  return Object.fromEntries(secrets.map((secret) => [secret.key, secret]));
}

function keysOf(...records: readonly object[]): string[] {
  return [...new Set(records.flatMap((record) => Object.keys(record)))].toSorted();
}
