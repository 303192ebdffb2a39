import { DomainError } from "@molecule/domain/errors";
import { MAX_MEMORY_KEYS } from "@molecule/domain/memory";
import { and, asc, eq, gt, isNull, lte, or, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { memoryKeys } from "../schema/memory.ts";
import { storableText } from "../storable.ts";

/** A value under its name as stored; `value` is JSON text. */
export type MemoryKeyRow = typeof memoryKeys.$inferSelect;

/** Which name of which workspace. */
export interface MemoryKeyName {
  readonly workspaceId: string;
  readonly key: string;
}

const isLive = or(isNull(memoryKeys.expiresAt), gt(memoryKeys.expiresAt, sql`cp_now()`));

const isExpired = lte(memoryKeys.expiresAt, sql`cp_now()`);

/** Every value that has not expired, by name. */
export async function listMemoryKeys(q: Queryable, workspaceId: string): Promise<MemoryKeyRow[]> {
  return await ormOf(q)
    .select()
    .from(memoryKeys)
    .where(and(eq(memoryKeys.workspaceId, workspaceId), isLive))
    .orderBy(asc(memoryKeys.key));
}

/** Null when there is none, or none any more. */
export async function findMemoryKey(
  q: Queryable,
  name: MemoryKeyName,
): Promise<MemoryKeyRow | null> {
  const [row] = await ormOf(q)
    .select()
    .from(memoryKeys)
    .where(and(named(name), isLive));
  return row ?? null;
}

/** A value to be kept. */
export interface MemoryKeyWrite extends MemoryKeyName {
  /** JSON text without secrets. */
  readonly value: string;
  /** Null: it stays. */
  readonly ttlSeconds: number | null;
  /** The version that its writer has read, 0 for none; null: whatever there is. */
  readonly ifVersion: number | null;
}

/**
 * Sets a value of a workspace that its caller has locked. SPEC: ME9, ME10.
 * @throws DomainError `version_conflict` (details: `current_version`, 0 for none), `rate_limited` for one
 * name too many.
 */
export async function putMemoryKey(tx: Transaction, write: MemoryKeyWrite): Promise<MemoryKeyRow> {
  const orm = ormOf(tx);
  const { workspaceId, value, ttlSeconds, ifVersion } = write;
  await orm.delete(memoryKeys).where(and(eq(memoryKeys.workspaceId, workspaceId), isExpired));
  const before = await findMemoryKey(tx, write);
  const current = before?.version ?? 0;
  if (ifVersion !== null && ifVersion !== current) {
    throw new DomainError("version_conflict", "Somebody else has changed this value meanwhile.", {
      next: "Read it again and decide anew.",
      details: { expected_version: ifVersion, current_version: current },
    });
  }
  if (before === null) await refuseOverflow(tx, workspaceId);
  const expiresAt =
    ttlSeconds === null ? null : sql`cp_now() + make_interval(secs => ${ttlSeconds}::float8)`;
  const changed = { value, expiresAt, version: current + 1 };
  const [row] = await orm
    .insert(memoryKeys)
    .values({ workspaceId, key: storableText(write.key), ...changed })
    .onConflictDoUpdate({
      target: [memoryKeys.workspaceId, memoryKeys.key],
      set: { ...changed, updatedAt: sql`cp_now()` },
    })
    .returning();
  if (row === undefined) throw new Error("invariant: an insert returns its row");
  return row;
}

async function refuseOverflow(tx: Transaction, workspaceId: string): Promise<void> {
  const count = await ormOf(tx).$count(memoryKeys, eq(memoryKeys.workspaceId, workspaceId));
  if (count < MAX_MEMORY_KEYS) return;
  throw new DomainError("rate_limited", `A workspace keeps ${MAX_MEMORY_KEYS} values at most.`, {
    next: "Delete one that is no longer needed.",
  });
}

/** False when there was none. */
export async function deleteMemoryKey(q: Queryable, name: MemoryKeyName): Promise<boolean> {
  const gone = await ormOf(q)
    .delete(memoryKeys)
    .where(and(named(name), isLive))
    .returning({ key: memoryKeys.key });
  return gone.length > 0;
}

/** Removes what has expired, of every workspace. Resolves with how many values went. */
export async function trimMemoryKeys(q: Queryable): Promise<number> {
  const [row] = await ormOf(q).execute<{ gone: string }>(sql`
    WITH gone AS (DELETE FROM memory_keys WHERE expires_at <= cp_now() RETURNING 1)
    SELECT count(*) AS gone FROM gone`);
  return Number(row?.gone ?? 0);
}

function named(name: MemoryKeyName) {
  return and(
    eq(memoryKeys.workspaceId, name.workspaceId),
    eq(memoryKeys.key, storableText(name.key)),
  );
}
