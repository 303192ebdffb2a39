import type {
  OrganisationSecret,
  SecretReach,
  secretReachInput,
} from "@molecule/contracts/organisation-secrets";
import type { SecretView } from "@molecule/contracts/panel";
import { changedSecrets } from "@molecule/db/lifecycle/merged-changes";
import {
  type GlobalSecretChange,
  changeGlobalSecret as writeGlobalSecret,
} from "@molecule/db/secrets/change-global-secret";
import { countOverrides, type ReachedWorkspace, reachOf } from "@molecule/db/secrets/secret-reach";
import {
  listGlobalSecrets,
  listWorkspaceSecrets,
  type SecretRow,
} from "@molecule/db/secrets/secret-store";
import { loadWorkspaceEnv } from "@molecule/db/secrets/workspace-env";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import { requiredKeys, unmetNeeds } from "@molecule/domain/model-offer";
import { isDecidedByPlatform } from "@molecule/domain/platform-env";
import type { z } from "zod";
import type { Deps } from "../../deps.ts";

/** The keys a workspace runs with and those it needs; never a value. @throws `not_found`, `removed`. */
export async function viewSecrets(deps: Deps, workspaceId: string): Promise<SecretView[]> {
  const row = await readConfig(deps.db, workspaceId);
  const { config, appliedGen, desiredGen } = row;
  const rows = await listWorkspaceSecrets(deps.db, deps.cipher, workspaceId);
  const range = { after: appliedGen, upTo: desiredGen };
  const waiting = await changedSecrets(deps.db, workspaceId, range);
  const isStarted = appliedGen > 0 && row.backend !== "external";
  const isRunning = (key: string) => (isStarted ? !waiting.has(key) : null);
  const needs = requiredKeys(config);
  const required = new Set(needs.flat());
  const unmet = unmetNeeds(needs, (key) => rows.some((row) => row.key === key));
  const missing = unmet.flatMap(([key]) => key ?? []);
  return [
    ...rows.map((one) => ({
      ...viewOf(one, required.has(one.key)),
      isRunning: isDecidedByPlatform(one.key) ? null : isRunning(one.key),
    })),
    ...missing.map((key) => ({
      key,
      scope: "workspace" as const,
      hasValue: false,
      mustReenter: false,
      isRequired: true,
      isRunning: isStarted ? false : null,
      updatedAt: null,
    })),
  ];
}

/** The organisation's keys and how far each reaches; never a value. */
export async function viewGlobalSecrets(deps: Deps): Promise<OrganisationSecret[]> {
  const [rows, counted] = await Promise.all([
    listGlobalSecrets(deps.db, deps.cipher),
    countOverrides(deps.db),
  ]);
  return rows.map((row) => {
    const overriddenBy = counted.byKey.get(row.key) ?? 0;
    return {
      key: row.key,
      mustReenter: !row.isReadable,
      updatedAt: row.updatedAt.toISOString(),
      usedBy: counted.all - overriddenBy,
      overriddenBy,
    };
  });
}

/** Names shown of each group; a longer list is no better answer. */
const MAX_NAMES = 20;

/** Whom a new value of the organisation's secret, or its removal, reaches, and how. */
export async function viewReach(
  deps: Deps,
  { key, isRemoval }: z.infer<typeof secretReachInput>,
): Promise<SecretReach> {
  const all = await reachOf(deps.db, key);
  const group = (belongs: (one: ReachedWorkspace) => boolean) => {
    const names = all.filter(belongs).map(({ name }) => name);
    return { count: names.length, names: names.slice(0, MAX_NAMES) };
  };
  const isReached = (one: ReachedWorkspace) => !one.isOverridden && !one.isHidden;
  const mayStart = (one: ReachedWorkspace) => !isRemoval || !one.isNeeded;
  return {
    key,
    restarts: group((one) => isReached(one) && one.isRunning && mayStart(one)),
    waits: group((one) => isReached(one) && !one.isRunning),
    overridden: group((one) => one.isOverridden),
    needs: group((one) => isReached(one) && one.isNeeded),
  };
}

function viewOf(row: SecretRow, isRequired: boolean): Omit<SecretView, "isRunning"> {
  return {
    key: row.key,
    scope: row.scope,
    hasValue: true,
    mustReenter: !row.isReadable,
    isRequired,
    updatedAt: row.updatedAt.toISOString(),
  };
}

/**
 * Changes a secret of the organisation, and with it exactly the workspaces whose environment is another
 * one then. Resolves with their number. @throws DomainError `not_found`.
 */
export async function changeGlobalSecret(
  deps: Deps,
  change: Omit<GlobalSecretChange, "settle">,
): Promise<number> {
  const settle = deps.platform.settle;
  return await deps.db.transaction(async (tx) => {
    const { kind, affected } = await writeGlobalSecret(tx, deps.cipher, { ...change, settle });
    if (kind !== "absent") return affected.length;
    throw new DomainError("not_found", `There is no key ${change.key} in the organisation.`);
  });
}

/**
 * The values a workspace runs with, for its own agent alone.
 * @throws DomainError `secret_unreadable` (details: `failed_keys`).
 */
export async function readSecretValues(
  deps: Deps,
  workspaceId: string,
): Promise<Readonly<Record<string, string>>> {
  const { env, unreadable } = await loadWorkspaceEnv(deps.db, deps.cipher, workspaceId);
  if (unreadable.length === 0) return env;
  throw new DomainError("secret_unreadable", "Some keys must be entered again.", {
    details: { failed_keys: unreadable },
  });
}
