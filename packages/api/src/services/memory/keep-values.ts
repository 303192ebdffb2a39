import { lockWorkspace } from "@molecule/db/lifecycle/lock-workspace";
import {
  deleteMemoryKey,
  findMemoryKey,
  listMemoryKeys,
  type MemoryKeyName,
  type MemoryKeyRow,
  putMemoryKey,
} from "@molecule/db/memory/memory-keys";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import { MAX_KEY_VALUE_CHARS } from "@molecule/domain/memory";
import { jsonWithoutSecrets, withoutSecrets } from "@molecule/domain/without-secrets";
import type { Deps } from "../../deps.ts";
import { secretsOf } from "./keep-memory.ts";

/** A JSON value to be kept under a name. */
export interface ValueWish extends MemoryKeyName {
  readonly value: unknown;
  /** 0 and null: it stays. */
  readonly ttlSeconds: number | null;
  readonly ifVersion: number | null;
}

/**
 * Sets a value, without the secrets its workspace runs with. SPEC: ME8 to ME10.
 * @throws DomainError `bad_request`, `not_found`, `removed`, `version_conflict`, `rate_limited`.
 */
export async function keepValue(deps: Deps, wish: ValueWish): Promise<MemoryKeyRow> {
  const { workspaceId, key } = wish;
  return await deps.db.transaction(async (tx) => {
    await lockWorkspace(tx, workspaceId);
    const secrets = await secretsOf(deps, tx, workspaceId);
    if (withoutSecrets(key, secrets) !== key) {
      throw new DomainError("bad_request", "The name of a value must not contain a secret.", {
        details: { field: "key" },
      });
    }
    const value = JSON.stringify(jsonWithoutSecrets(wish.value, secrets));
    if (value.length > MAX_KEY_VALUE_CHARS) {
      throw new DomainError(
        "payload_too_large",
        `A value has ${MAX_KEY_VALUE_CHARS} characters of JSON at most.`,
        { next: "Keep it as a file, and its path here.", details: { field: "value" } },
      );
    }
    const ttlSeconds = wish.ttlSeconds === 0 ? null : wish.ttlSeconds;
    return await putMemoryKey(tx, { ...wish, value, ttlSeconds });
  });
}

/** Every value, by name. @throws DomainError `not_found`, `removed`. */
export async function readValues(deps: Deps, workspaceId: string): Promise<MemoryKeyRow[]> {
  // An unknown workspace is 404, not one without values.
  await readConfig(deps.db, workspaceId);
  return await listMemoryKeys(deps.db, workspaceId);
}

/** @throws DomainError `not_found`. */
export async function readValue(deps: Deps, name: MemoryKeyName): Promise<MemoryKeyRow> {
  const row = await findMemoryKey(deps.db, name);
  if (row === null) throw noSuchValue();
  return row;
}

/** @throws DomainError `not_found`. */
export async function forgetValue(deps: Deps, name: MemoryKeyName): Promise<void> {
  if (!(await deleteMemoryKey(deps.db, name))) throw noSuchValue();
}

function noSuchValue(): DomainError {
  return new DomainError("not_found", "This workspace keeps nothing under this name.");
}
