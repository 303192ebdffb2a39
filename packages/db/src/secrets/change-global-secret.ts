import { isDecidedByPlatform } from "@molecule/domain/platform-env";
import type { Actor } from "@molecule/domain/sets";
import type { SettleSettings } from "@molecule/domain/settle";
import { sql } from "drizzle-orm";
import { recordWrite } from "../changes/record-write.ts";
import { ormOf, type Transaction } from "../database.ts";
import { recordIdenticalSave } from "../ledger/record-request.ts";
import type { SecretCipher } from "./cipher.ts";
import { putGlobalSecret, removeGlobalSecret } from "./secret-store.ts";

/** A change of one of the organisation's secrets. */
export interface GlobalSecretChange {
  readonly actor: Actor;
  readonly key: string;
  /** Null removes. */
  readonly value: string | null;
  readonly settle: SettleSettings;
}

/** `absent`: what should be removed is not there. `affected`: workspaces whose environment it changed. */
export interface GlobalSecretReceipt {
  readonly kind: "changed" | "identical" | "absent";
  readonly affected: readonly string[];
}

/**
 * Changes a secret of the organisation, and with it exactly the workspaces whose environment is another
 * one then: not those with a secret of that name of their own, not those outside the platform, and not
 * those where the platform decides the name. An identical value changes none. SPEC: SE1 to SE3.
 */
export async function changeGlobalSecret(
  tx: Transaction,
  cipher: SecretCipher,
  change: GlobalSecretChange,
): Promise<GlobalSecretReceipt> {
  const { actor, key } = change;
  const affected = await lockWorkspacesUsing(tx, key);
  const kind = await write(tx, cipher, change);
  if (kind !== "changed") {
    if (kind === "identical") {
      for (const workspaceId of affected) await recordIdenticalSave(tx, { workspaceId, actor });
    }
    return { kind, affected: [] };
  }
  for (const workspaceId of affected) {
    await recordWrite(tx, {
      workspaceId,
      actor,
      stream: "settings",
      isBatch: false,
      changes: [{ kind: "secret", name: key }],
      settings: change.settle,
    });
  }
  return { kind, affected };
}

async function write(
  tx: Transaction,
  cipher: SecretCipher,
  { key, value }: GlobalSecretChange,
): Promise<GlobalSecretReceipt["kind"]> {
  if (value === null) return (await removeGlobalSecret(tx, key)) ? "changed" : "absent";
  const done = await putGlobalSecret(tx, cipher, { key, value });
  return done === "identical" ? "identical" : "changed";
}

/** Locked in the order of their ids, so that two changes at once wait instead of deadlocking. */
async function lockWorkspacesUsing(tx: Transaction, key: string): Promise<string[]> {
  if (isDecidedByPlatform(key)) return [];
  const rows = await ormOf(tx).execute<{ id: string }>(sql`
    SELECT w.id FROM workspaces w
    WHERE w.intent <> 'deleted' AND w.backend <> 'external'
      AND NOT EXISTS (
        SELECT 1 FROM workspace_secrets s WHERE s.workspace_id = w.id AND s.key = ${key})
    ORDER BY w.id FOR UPDATE OF w`);
  return rows.map(({ id }) => id);
}
