import type { Backend } from "@molecule/domain/sets";
import { eq, sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { backendIdentities } from "../schema/sweep.ts";

/** The machine that is remembered for the backend; null before the first was seen. */
export async function readIdentity(q: Queryable, backend: Backend): Promise<string | null> {
  const [row] = await ormOf(q)
    .select({ identity: backendIdentities.identity })
    .from(backendIdentities)
    .where(eq(backendIdentities.backend, backend));
  return row?.identity ?? null;
}

/** From now on the backend's agents are looked for on this machine. */
export async function rememberIdentity(
  q: Queryable,
  backend: Backend,
  identity: string,
): Promise<void> {
  const values = { identity, rememberedAt: sql`cp_now()` };
  await ormOf(q)
    .insert(backendIdentities)
    .values({ backend, ...values })
    .onConflictDoUpdate({ target: backendIdentities.backend, set: values });
}
