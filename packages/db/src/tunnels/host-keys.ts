import type { HostKeyPrint } from "@molecule/domain/host-keys";
import type { HostKeySource } from "@molecule/domain/sets";
import { eq } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { hostKeys } from "../schema/tunnels.ts";

/** A key and how it became known. */
export interface PinnedHostKey extends HostKeyPrint {
  readonly source: HostKeySource;
}

/** The key a machine is known by; null: none yet. */
export async function findHostKey(q: Queryable, machine: string): Promise<PinnedHostKey | null> {
  const [row] = await ormOf(q)
    .select({ type: hostKeys.keyType, sha256: hostKeys.sha256, source: hostKeys.source })
    .from(hostKeys)
    .where(eq(hostKeys.machine, machine));
  return row ?? null;
}

/**
 * Pins a key unless one is pinned already, and answers with the pinned one: whoever was first. A pin is
 * never replaced. SPEC: TU14.
 */
export async function pinHostKey(
  q: Queryable,
  machine: string,
  key: PinnedHostKey,
): Promise<PinnedHostKey> {
  await ormOf(q)
    .insert(hostKeys)
    .values({ machine, keyType: key.type, sha256: key.sha256, source: key.source })
    .onConflictDoNothing();
  return (await findHostKey(q, machine)) ?? key;
}
