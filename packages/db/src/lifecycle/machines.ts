import type { Backend } from "@molecule/domain/sets";
import { and, eq, isNull, lt, lte, ne, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { machines } from "../schema/workspaces.ts";
import type { HeldWorkspace } from "./held-workspace.ts";

/** Notes what a backend has made for the current attempt; adopting it again changes nothing. */
export async function recordMachine(
  tx: Transaction,
  held: HeldWorkspace,
  providerId: string,
): Promise<void> {
  await ormOf(tx)
    .insert(machines)
    .values({
      providerId,
      workspaceId: held.row.id,
      backend: held.row.backend,
      firstAttempt: held.row.currentAttempt,
      currentAttempt: held.row.currentAttempt,
      fence: held.fence.epoch,
    })
    .onConflictDoNothing();
  // A machine that was handed over and then replaced has ended before the new one was recorded.
  await ormOf(tx)
    .update(machines)
    .set({ removedAt: sql`cp_now()`, removingAt: sql`COALESCE(${machines.removingAt}, cp_now())` })
    .where(
      and(
        eq(machines.workspaceId, held.row.id),
        eq(machines.currentAttempt, held.row.currentAttempt),
        ne(machines.providerId, providerId),
        isNull(machines.removedAt),
      ),
    );
}

/**
 * Gives a machine to the workspace's current attempt, before anybody acts on it; false when it is being
 * removed, or belongs to a newer one. Source: lifecycle A5 machines.
 */
export async function advanceMachine(
  tx: Transaction,
  held: HeldWorkspace,
  providerId: string,
): Promise<boolean> {
  const rows = await ormOf(tx)
    .update(machines)
    .set({ currentAttempt: held.row.currentAttempt, fence: held.fence.epoch })
    .where(
      and(
        eq(machines.providerId, providerId),
        eq(machines.workspaceId, held.row.id),
        lte(machines.currentAttempt, held.row.currentAttempt),
        isNull(machines.removingAt),
        isNull(machines.removedAt),
      ),
    )
    .returning({ providerId: machines.providerId });
  return rows.length > 0;
}

/** Attempts of a workspace whose machine is not confirmed gone. */
export async function attemptsWithMachine(
  q: Queryable,
  workspaceId: string,
  below: number,
): Promise<readonly number[]> {
  const rows = await ormOf(q)
    .selectDistinct({ no: machines.currentAttempt })
    .from(machines)
    .where(
      and(
        eq(machines.workspaceId, workspaceId),
        lt(machines.currentAttempt, below),
        isNull(machines.removedAt),
      ),
    );
  return rows.map((row) => row.no);
}

/**
 * A machine that a backend lists has a row, also one whose worker was killed before it recorded it: what
 * is waited for is seen then, however long it takes.
 */
export async function recordListed(
  q: Queryable,
  backend: Backend,
  listed: {
    readonly providerId: string;
    readonly workspaceId: string;
    readonly attemptNo: number;
  },
): Promise<void> {
  const { providerId, workspaceId, attemptNo } = listed;
  await ormOf(q).execute(sql`
    INSERT INTO machines (provider_id, workspace_id, backend, first_attempt, current_attempt, fence)
    SELECT ${providerId}, w.id, ${backend}, ${attemptNo}, ${attemptNo}, w.lease_epoch
    FROM workspaces w WHERE w.id = ${workspaceId}
    ON CONFLICT DO NOTHING`);
}

/** Announces removals before the backend is asked, so that the canvas can show what is waited for. */
export async function markRemoving(
  q: Queryable,
  workspaceId: string,
  attemptNo: number,
): Promise<void> {
  await ormOf(q)
    .update(machines)
    .set({ removingAt: sql`COALESCE(${machines.removingAt}, cp_now())` })
    .where(
      and(
        eq(machines.workspaceId, workspaceId),
        eq(machines.currentAttempt, attemptNo),
        isNull(machines.removedAt),
      ),
    );
}

/** Notes that the backend has confirmed an attempt's machine gone; false when that was noted before. */
export async function markRemoved(
  q: Queryable,
  workspaceId: string,
  attemptNo: number,
): Promise<boolean> {
  const rows = await ormOf(q)
    .update(machines)
    .set({ removedAt: sql`cp_now()`, removingAt: sql`COALESCE(${machines.removingAt}, cp_now())` })
    .where(
      and(
        eq(machines.workspaceId, workspaceId),
        eq(machines.currentAttempt, attemptNo),
        isNull(machines.removedAt),
      ),
    )
    .returning({ providerId: machines.providerId });
  return rows.length > 0;
}

/**
 * Announces the removal of one listed machine, if its row still is at the attempt that was seen: an
 * attempt that took the machine over meanwhile keeps it. True also when there is no row at all.
 */
export async function claimRemoval(
  q: Queryable,
  providerId: string,
  seenAttempt: number | null,
): Promise<boolean> {
  if (seenAttempt === null) return true;
  const rows = await ormOf(q)
    .update(machines)
    .set({ removingAt: sql`COALESCE(${machines.removingAt}, cp_now())` })
    .where(and(eq(machines.providerId, providerId), eq(machines.currentAttempt, seenAttempt)))
    .returning({ providerId: machines.providerId });
  return rows.length > 0;
}

/** One instance of a listing as the database knows it. */
export interface SweptRow {
  readonly workspaceId: string;
  /** Everything of the workspace has been removed already. */
  readonly isDeleted: boolean;
  /** In PAUSED: nothing of it is meant to run, the current attempt included. */
  readonly isResting: boolean;
  readonly currentAttempt: number;
  /** The machine's present attempt, which wins over the label; null without a row. */
  readonly machineAttempt: number | null;
  /** A worker is stopping it at this moment. */
  readonly isBeingStopped: boolean;
  readonly isFenced: boolean;
}

/**
 * What the database says of listed instances. Call it after the listing, never before: an attempt that
 * begins in between is then newer than the listing and keeps its instance. Source: lifecycle A5 sweep.
 */
export async function readForSweep(
  q: Queryable,
  backend: Backend,
  listed: readonly { readonly providerId: string; readonly workspaceId: string }[],
): Promise<ReadonlyMap<string, SweptRow>> {
  if (listed.length === 0) return new Map();
  const pairs = JSON.stringify(
    listed.map(({ providerId, workspaceId }) => ({ providerId, workspaceId })),
  );
  const rows = await ormOf(q).execute<{
    provider_id: string;
    workspace_id: string;
    is_deleted: boolean;
    is_resting: boolean;
    current_attempt: string;
    machine_attempt: string | null;
    is_being_stopped: boolean;
    is_fenced: boolean;
  }>(sql`
    SELECT l."providerId" AS provider_id, w.id AS workspace_id, w.phase = 'DELETED' AS is_deleted,
      w.phase = 'PAUSED' AS is_resting,
      w.current_attempt, m.current_attempt AS machine_attempt, m.fenced_at IS NOT NULL AS is_fenced,
      w.phase IN ('STOPPING', 'DELETING') AND COALESCE(w.lease_until > cp_now(), false) AS is_being_stopped
    FROM jsonb_to_recordset(${pairs}::jsonb) AS l("providerId" text, "workspaceId" text)
    JOIN workspaces w ON w.id::text = l."workspaceId"
    LEFT JOIN machines m ON m.provider_id = l."providerId" AND m.backend = ${backend}`);
  return new Map(
    rows.map((row) => [
      row.provider_id,
      {
        workspaceId: row.workspace_id,
        isDeleted: row.is_deleted,
        isResting: row.is_resting,
        currentAttempt: Number(row.current_attempt),
        machineAttempt: row.machine_attempt === null ? null : Number(row.machine_attempt),
        isBeingStopped: row.is_being_stopped,
        isFenced: row.is_fenced,
      },
    ]),
  );
}
