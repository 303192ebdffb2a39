import { randomBytes } from "node:crypto";
import { and, eq, ne, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { workspaces } from "../schema/workspaces.ts";
import { ENCRYPTION_VERSION, type SecretCipher } from "./cipher.ts";

/** The name under which the inbound secret is sealed. */
export const INBOUND_KEY = "inbound";

/** A fresh secret: 43 base64url characters, 32 random bytes. Source: contract §2.1. */
export function newInboundSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** The record of `secret` for the column `workspaces.inbound_secret`. */
export function sealInboundSecret(
  cipher: SecretCipher,
  workspaceId: string,
  secret: string,
): Uint8Array {
  return cipher.encrypt({ scope: workspaceId, key: INBOUND_KEY }, secret);
}

/** The secret the platform shows to the workspace's runtime; null when absent or unreadable. */
export async function readInboundSecret(
  q: Queryable,
  cipher: SecretCipher,
  workspaceId: string,
): Promise<string | null> {
  const [row] = await ormOf(q)
    .select({ record: workspaces.inboundSecret })
    .from(workspaces)
    .where(eq(workspaces.id, workspaceId));
  return openInboundSecret(cipher, workspaceId, row?.record ?? null);
}

/** The secret in a sealed record; null when there is none or it cannot be read. */
export function openInboundSecret(
  cipher: SecretCipher,
  workspaceId: string,
  record: Uint8Array | null,
): string | null {
  if (record === null) return null;
  const place = { scope: workspaceId, key: INBOUND_KEY };
  return cipher.decrypt(place, { record, encryptionVersion: ENCRYPTION_VERSION });
}

/** The secret, minted when there is none that can be read. `isNew` tells the runtime has yet to learn it. */
export async function ensureInboundSecret(
  tx: Transaction,
  cipher: SecretCipher,
  workspaceId: string,
): Promise<{ readonly secret: string; readonly isNew: boolean }> {
  const known = await readInboundSecret(tx, cipher, workspaceId);
  if (known !== null) return { secret: known, isNew: false };
  const orm = ormOf(tx);
  await orm.execute(sql`SELECT 1 FROM workspaces WHERE id = ${workspaceId} FOR UPDATE`);
  const again = await readInboundSecret(tx, cipher, workspaceId);
  if (again !== null) return { secret: again, isNew: false };
  const secret = newInboundSecret();
  await orm
    .update(workspaces)
    .set({ inboundSecret: sealInboundSecret(cipher, workspaceId, secret) })
    .where(and(eq(workspaces.id, workspaceId), ne(workspaces.intent, "deleted")));
  return { secret, isNew: true };
}
