import type { SecretView } from "@molecule/contracts/panel";
import { recordWrite } from "@molecule/db/changes/record-write";
import type { Transaction } from "@molecule/db/database";
import { recordIdenticalSave } from "@molecule/db/ledger/record-request";
import {
  listGlobalSecrets,
  listWorkspaceSecrets,
  lockWorkspacesUsingGlobal,
  putGlobalSecret,
  removeGlobalSecret,
  type SecretRow,
} from "@molecule/db/secrets/secret-store";
import { loadWorkspaceEnv } from "@molecule/db/secrets/workspace-env";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import { requiredKeys, unmetNeeds } from "@molecule/domain/model-offer";
import type { Actor } from "@molecule/domain/sets";
import type { Deps } from "../../deps.ts";

/** The keys a workspace runs with and those it needs; never a value. @throws `not_found`, `removed`. */
export async function viewSecrets(deps: Deps, workspaceId: string): Promise<SecretView[]> {
  const { config } = await readConfig(deps.db, workspaceId);
  const rows = await listWorkspaceSecrets(deps.db, deps.cipher, workspaceId);
  const needs = requiredKeys(config);
  const required = new Set(needs.flat());
  const unmet = unmetNeeds(needs, (key) => rows.some((row) => row.key === key));
  const missing = unmet.flatMap(([key]) => key ?? []);
  return [
    ...rows.map((row) => viewOf(row, required.has(row.key))),
    ...missing.map((key) => ({
      key,
      scope: "workspace" as const,
      hasValue: false,
      mustReenter: false,
      isRequired: true,
      updatedAt: null,
    })),
  ];
}

/** The organisation's keys; never a value. */
export async function viewGlobalSecrets(deps: Deps): Promise<SecretView[]> {
  const rows = await listGlobalSecrets(deps.db, deps.cipher);
  return rows.map((row) => viewOf(row, false));
}

function viewOf(row: SecretRow, isRequired: boolean): SecretView {
  return {
    key: row.key,
    scope: row.scope,
    hasValue: true,
    mustReenter: !row.isReadable,
    isRequired,
    updatedAt: row.updatedAt.toISOString(),
  };
}

/** A change of one of the organisation's secrets. */
export interface GlobalSecretChange {
  readonly actor: Actor;
  readonly key: string;
  /** Null removes. */
  readonly value: string | null;
}

/**
 * Changes a secret of the organisation, and with it exactly the workspaces that run with it. Resolves
 * with their number; an identical value changes nothing. @throws DomainError `not_found`.
 */
export async function changeGlobalSecret(deps: Deps, change: GlobalSecretChange): Promise<number> {
  return await deps.db.transaction(async (tx) => {
    const affected = await lockWorkspacesUsingGlobal(tx, change.key);
    if (!(await writeGlobal(deps, tx, change))) {
      for (const workspaceId of affected) {
        await recordIdenticalSave(tx, { workspaceId, actor: change.actor });
      }
      return 0;
    }
    for (const workspaceId of affected) {
      await recordWrite(tx, {
        workspaceId,
        actor: change.actor,
        stream: "settings",
        isBatch: false,
        changes: [{ kind: "secret", name: change.key }],
        settings: deps.platform.settle,
      });
    }
    return affected.length;
  });
}

async function writeGlobal(
  deps: Deps,
  tx: Transaction,
  { key, value }: GlobalSecretChange,
): Promise<boolean> {
  if (value !== null) {
    return (await putGlobalSecret(tx, deps.cipher, { key, value })) !== "identical";
  }
  if (await removeGlobalSecret(tx, key)) return true;
  throw new DomainError("not_found", `There is no key ${key} in the organisation.`);
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
