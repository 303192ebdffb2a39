import { and, asc, eq, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { globalSecrets, workspaceSecrets } from "../schema/content.ts";
import { ENCRYPTION_VERSION, type SecretCipher } from "./cipher.ts";

/** The scope of the organisation's secrets, in rows and in the authenticated data. */
export const GLOBAL_SCOPE = "global";

/** What may be known of a secret without its value. */
export interface SecretRow {
  readonly key: string;
  readonly scope: "workspace" | "global";
  /** False when the present key cannot read it: it must be entered again. */
  readonly isReadable: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What writing a secret did; `inherited`: it was stored, and the agent runs with that value already. */
export type SecretWrite = "created" | "changed" | "identical" | "inherited";

/** What removing a secret did; `inherited`: the organisation's has the same value. */
export type SecretRemoval = "removed" | "inherited" | "absent";

/** One value to write. */
export interface SecretInput {
  readonly key: string;
  readonly value: string;
}

/** The secrets a workspace runs with, by key: its own, and the organisation's that it does not hide. */
export async function listWorkspaceSecrets(
  q: Queryable,
  cipher: SecretCipher,
  workspaceId: string,
): Promise<SecretRow[]> {
  const own = await ormOf(q)
    .select()
    .from(workspaceSecrets)
    .where(eq(workspaceSecrets.workspaceId, workspaceId))
    .orderBy(asc(workspaceSecrets.key));
  const rows: SecretRow[] = own.map((row) => ({
    key: row.key,
    scope: "workspace",
    isReadable: cipher.decrypt({ scope: workspaceId, key: row.key }, row) !== null,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  }));
  const hidden = new Set(rows.map((row) => row.key));
  const inherited = (await listGlobalSecrets(q, cipher)).filter((row) => !hidden.has(row.key));
  return [...rows, ...inherited].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** The organisation's secrets by key. */
export async function listGlobalSecrets(q: Queryable, cipher: SecretCipher): Promise<SecretRow[]> {
  const rows = await ormOf(q).select().from(globalSecrets).orderBy(asc(globalSecrets.key));
  return rows.map((row) => ({
    key: row.key,
    scope: "global",
    isReadable: cipher.decrypt({ scope: GLOBAL_SCOPE, key: row.key }, row) !== null,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  }));
}

/**
 * Stores a workspace's secret unless it is identical; an unreadable one is always replaced. A first one
 * with the value that the organisation's has is stored and changes nothing for the agent.
 */
export async function putWorkspaceSecret(
  tx: Transaction,
  cipher: SecretCipher,
  workspaceId: string,
  input: SecretInput,
): Promise<SecretWrite> {
  const place = { scope: workspaceId, key: input.key };
  const at = and(
    eq(workspaceSecrets.workspaceId, workspaceId),
    eq(workspaceSecrets.key, input.key),
  );
  const [before] = await ormOf(tx).select().from(workspaceSecrets).where(at).for("update");
  if (before !== undefined && cipher.decrypt(place, before) === input.value) return "identical";
  const record = cipher.encrypt(place, input.value);
  await ormOf(tx)
    .insert(workspaceSecrets)
    .values({ workspaceId, key: input.key, record, encryptionVersion: ENCRYPTION_VERSION })
    .onConflictDoUpdate({
      target: [workspaceSecrets.workspaceId, workspaceSecrets.key],
      set: {
        record,
        encryptionVersion: ENCRYPTION_VERSION,
        version: sql`${workspaceSecrets.version} + 1`,
        updatedAt: sql`cp_now()`,
      },
    });
  if (before !== undefined) return "changed";
  return (await inheritedValue(tx, cipher, input.key)) === input.value ? "inherited" : "created";
}

async function inheritedValue(tx: Transaction, cipher: SecretCipher, key: string) {
  const [row] = await ormOf(tx).select().from(globalSecrets).where(eq(globalSecrets.key, key));
  return row === undefined ? null : cipher.decrypt({ scope: GLOBAL_SCOPE, key }, row);
}

/** Stores a secret of the organisation unless it is identical. */
export async function putGlobalSecret(
  tx: Transaction,
  cipher: SecretCipher,
  input: SecretInput,
): Promise<SecretWrite> {
  const place = { scope: GLOBAL_SCOPE, key: input.key };
  const at = eq(globalSecrets.key, input.key);
  const [before] = await ormOf(tx).select().from(globalSecrets).where(at).for("update");
  if (before !== undefined && cipher.decrypt(place, before) === input.value) return "identical";
  const record = cipher.encrypt(place, input.value);
  await ormOf(tx)
    .insert(globalSecrets)
    .values({ key: input.key, record, encryptionVersion: ENCRYPTION_VERSION })
    .onConflictDoUpdate({
      target: globalSecrets.key,
      set: {
        record,
        encryptionVersion: ENCRYPTION_VERSION,
        version: sql`${globalSecrets.version} + 1`,
        updatedAt: sql`cp_now()`,
      },
    });
  return before === undefined ? "created" : "changed";
}

/** Removes a workspace's own secret. */
export async function removeWorkspaceSecret(
  tx: Transaction,
  cipher: SecretCipher,
  workspaceId: string,
  key: string,
): Promise<SecretRemoval> {
  const [gone] = await ormOf(tx)
    .delete(workspaceSecrets)
    .where(and(eq(workspaceSecrets.workspaceId, workspaceId), eq(workspaceSecrets.key, key)))
    .returning();
  if (gone === undefined) return "absent";
  const value = cipher.decrypt({ scope: workspaceId, key }, gone);
  return value !== null && value === (await inheritedValue(tx, cipher, key))
    ? "inherited"
    : "removed";
}

/** Removes a secret of the organisation; false when there was none. */
export async function removeGlobalSecret(tx: Transaction, key: string): Promise<boolean> {
  const gone = await ormOf(tx)
    .delete(globalSecrets)
    .where(eq(globalSecrets.key, key))
    .returning({ key: globalSecrets.key });
  return gone.length > 0;
}
