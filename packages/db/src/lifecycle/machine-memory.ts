import type { Backend } from "@molecule/domain/sets";
import { and, desc, eq, isNotNull, isNull, ne, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { attempts, machines } from "../schema/workspaces.ts";

/** A machine of a backend that cannot be asked which one an attempt has. */
export interface KnownMachine {
  readonly workspaceId: string;
  readonly attemptNo: number;
  readonly providerId: string;
  /** host:port of its runtime; null when its maker did not say. */
  readonly address: string | null;
}

/**
 * Notes a machine when it is asked for, and again when its maker has named it. An attempt has one. A maker that gives one name to the machines of several
 * attempts has one row, which the later attempt takes over.
 */
export async function rememberMachine(
  tx: Transaction,
  backend: Backend,
  { workspaceId, attemptNo, providerId, address }: KnownMachine,
): Promise<void> {
  const orm = ormOf(tx);
  await orm.execute(sql`
    INSERT INTO machines (provider_id, workspace_id, backend, first_attempt, current_attempt, fence)
    SELECT ${providerId}, w.id, ${backend}, ${attemptNo}, ${attemptNo}, w.lease_epoch
    FROM workspaces w WHERE w.id = ${workspaceId}
    ON CONFLICT (provider_id) DO UPDATE SET current_attempt = EXCLUDED.current_attempt,
      removing_at = NULL, removed_at = NULL, fenced_at = NULL, host_key = NULL, reach = NULL
    WHERE machines.workspace_id = EXCLUDED.workspace_id
      AND (machines.current_attempt < EXCLUDED.current_attempt OR machines.removed_at IS NOT NULL)`);
  // What was asked for under another name has this one now, or never came to be.
  await orm
    .update(machines)
    .set({ removedAt: sql`cp_now()` })
    .where(
      and(
        eq(machines.workspaceId, workspaceId),
        eq(machines.backend, backend),
        eq(machines.currentAttempt, attemptNo),
        ne(machines.providerId, providerId),
        isNull(machines.removedAt),
      ),
    );
  await orm
    .update(attempts)
    .set({ providerRef: providerId, providerAddr: address })
    .where(and(eq(attempts.workspaceId, workspaceId), eq(attempts.no, attemptNo)));
}

/** The machine of an attempt, or the latest one; null when none is known that may still be there. */
export async function findMachine(
  q: Queryable,
  backend: Backend,
  of: { readonly workspaceId: string; readonly attemptNo: number | null },
): Promise<KnownMachine | null> {
  const [row] = await ormOf(q)
    .select({
      workspaceId: machines.workspaceId,
      attemptNo: machines.currentAttempt,
      providerId: machines.providerId,
      address: attempts.providerAddr,
    })
    .from(machines)
    .leftJoin(
      attempts,
      and(eq(attempts.workspaceId, machines.workspaceId), eq(attempts.no, machines.currentAttempt)),
    )
    .where(
      and(
        eq(machines.workspaceId, of.workspaceId),
        eq(machines.backend, backend),
        of.attemptNo === null ? undefined : eq(machines.currentAttempt, of.attemptNo),
        isNull(machines.removedAt),
      ),
    )
    .orderBy(desc(machines.currentAttempt))
    .limit(1);
  return row ?? null;
}

/** Machines of a backend that were fenced and are not confirmed gone. */
export async function listFenced(
  q: Queryable,
  backend: Backend,
): Promise<readonly { readonly workspaceId: string; readonly attemptNo: number }[]> {
  return await ormOf(q)
    .select({ workspaceId: machines.workspaceId, attemptNo: machines.currentAttempt })
    .from(machines)
    .where(
      and(eq(machines.backend, backend), isNotNull(machines.fencedAt), isNull(machines.removedAt)),
    );
}
