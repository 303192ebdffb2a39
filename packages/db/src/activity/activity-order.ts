import { type Placeholder, type SQL, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";

/**
 * Rows are numbered when they are written and seen when they are committed, so a reader that remembers
 * the last number it saw could pass over one that comes late. Whoever writes what such readers follow
 * holds the shared half of a lock on the workspace's list until its transaction ends; the reader takes
 * the other half for the moment in which it looks, and then everything below what it sees is there.
 */
export async function joinActivityOrder(tx: Transaction, workspaceId: string): Promise<void> {
  await ormOf(tx).execute(sql`SELECT ${joiningOrder(workspaceId)}`);
}

/** The same as a column of a statement that is sent anyway. */
export function joiningOrder(workspaceId: string | Placeholder): SQL<unknown> {
  return sql`pg_advisory_xact_lock_shared(${keyOf(workspaceId)})`;
}

/** Waits until no row is on its way; none comes before this transaction ends. */
export async function awaitActivityOrder(tx: Transaction, workspaceId: string): Promise<void> {
  await ormOf(tx).execute(sql`SELECT pg_advisory_xact_lock(${keyOf(workspaceId)})`);
}

function keyOf(workspaceId: string | Placeholder): SQL<unknown> {
  return sql`hashtextextended('activity ' || ${workspaceId}::text, 0)`;
}
