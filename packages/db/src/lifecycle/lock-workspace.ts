import { DomainError } from "@molecule/domain/errors";
import { eq, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { workspaces } from "../schema/workspaces.ts";

/** A workspace row as stored, with the clock it was read at. Inside `packages/db` only. */
export interface LockedWorkspace {
  readonly row: typeof workspaces.$inferSelect;
  /** `cp_now()` after the lock was granted. */
  readonly now: Date;
}

/** `cp_now()` read as `Date`. */
export const clock = sql<Date>`cp_now()`.mapWith(workspaces.createdAt);

/**
 * Holds the row lock until the transaction ends, so that generations are given in commit order.
 * @throws DomainError `not_found`, or `removed` with `removed_at` in its details.
 */
export async function lockWorkspace(tx: Transaction, id: string): Promise<LockedWorkspace> {
  const orm = ormOf(tx);
  const [row] = await orm
    .select()
    .from(workspaces)
    .where(eq(workspaces.id, id))
    .for("no key update");
  if (row === undefined) throw new DomainError("not_found", "There is no such workspace.");
  if (row.intent === "deleted") throw removedError(row.id, row.removedAt);
  const [time] = await orm.execute<{ now: string }>(sql`SELECT cp_now() AS now`);
  if (time === undefined) throw new Error("invariant: SELECT cp_now() answers one row");
  return { row, now: new Date(time.now) };
}

/** The error of every operation on a removed workspace. */
export function removedError(id: string, removedAt: Date | null): DomainError {
  return new DomainError("removed", "This workspace has been removed.", {
    next: "Create a new workspace.",
    details: { id, removed_at: removedAt?.toISOString() ?? null },
  });
}
