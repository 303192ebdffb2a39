import { lockWorkspace } from "@molecule/db/lifecycle/lock-workspace";
import {
  type CheckpointRow,
  findLatestCheckpoint,
  insertCheckpoint,
} from "@molecule/db/memory/checkpoints";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import { MAX_KEY_VALUE_CHARS } from "@molecule/domain/memory";
import { jsonWithoutSecrets, withoutSecrets } from "@molecule/domain/without-secrets";
import type { Deps } from "../../deps.ts";
import { secretsOf } from "./keep-memory.ts";

/** Where an agent has got to. */
export interface CheckpointWish {
  readonly workspaceId: string;
  /** Empty: of no named workflow. */
  readonly workflowId: string;
  /** What the agent gave, whatever its fields are. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Keeps a checkpoint without the secrets of its workspace. SPEC: ME8, ME11.
 * @throws DomainError `not_found`, `removed`, `payload_too_large`.
 */
export async function keepCheckpoint(deps: Deps, wish: CheckpointWish): Promise<CheckpointRow> {
  const { workspaceId } = wish;
  return await deps.db.transaction(async (tx) => {
    await lockWorkspace(tx, workspaceId);
    const secrets = await secretsOf(deps, tx, workspaceId);
    const body = JSON.stringify(jsonWithoutSecrets(wish.fields, secrets));
    if (body.length > MAX_KEY_VALUE_CHARS) {
      throw new DomainError(
        "payload_too_large",
        `A checkpoint has ${MAX_KEY_VALUE_CHARS} characters of JSON at most.`,
        { next: "Keep what is larger as a file, and its path here." },
      );
    }
    const workflowId = withoutSecrets(wish.workflowId, secrets);
    return await insertCheckpoint(tx, { workspaceId, workflowId, body });
  });
}

/** @throws DomainError `not_found` (no such workspace; no checkpoint), `removed`. */
export async function readLatestCheckpoint(
  deps: Deps,
  which: { readonly workspaceId: string; readonly workflowId: string | null },
): Promise<CheckpointRow> {
  await readConfig(deps.db, which.workspaceId);
  const row = await findLatestCheckpoint(deps.db, which);
  if (row === null) throw new DomainError("not_found", "This workspace has no checkpoint yet.");
  return row;
}
