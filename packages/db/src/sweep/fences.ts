import type { Backend } from "@molecule/domain/sets";
import { and, eq, isNotNull, isNull, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { attempts, machines, workspaceTokens } from "../schema/workspaces.ts";
import { tellSweep } from "./tell-sweep.ts";

/** An attempt's machine that does not end. */
export interface Stubborn {
  readonly workspaceId: string;
  readonly attemptNo: number;
}

/** Whether its removal has been failing for so long that it is fenced now. False when it is already. */
export async function isFenceDue(
  q: Queryable,
  of: Stubborn,
  fenceAfterMs: number,
): Promise<boolean> {
  const [row] = await ormOf(q)
    .select({ workspaceId: machines.workspaceId })
    .from(machines)
    .where(
      and(
        waits(of),
        isNull(machines.fencedAt),
        sql`${machines.removingAt} <= cp_now() - ${fenceAfterMs} * interval '1 millisecond'`,
      ),
    )
    .limit(1);
  return row !== undefined;
}

/**
 * Records that the backend has taken the instance's network: its token and its address go too, and only
 * its removal is outstanding. Told once. SPEC: G11.
 */
export async function recordFenced(
  tx: Transaction,
  of: Stubborn & { readonly backend: Backend; readonly why: string },
): Promise<void> {
  const orm = ormOf(tx);
  const [fenced] = await orm
    .update(machines)
    .set({ fencedAt: sql`cp_now()` })
    .where(and(waits(of), isNull(machines.fencedAt)))
    .returning({
      providerId: machines.providerId,
      seconds: sql<number>`round(extract(epoch FROM cp_now() - ${machines.removingAt}))::int`,
    });
  if (fenced === undefined) return;
  await orm
    .update(workspaceTokens)
    .set({ revokedAt: sql`cp_now()` })
    .where(
      and(
        eq(workspaceTokens.workspaceId, of.workspaceId),
        eq(workspaceTokens.attemptNo, of.attemptNo),
        isNull(workspaceTokens.revokedAt),
      ),
    );
  await orm
    .update(attempts)
    .set({ providerAddr: null })
    .where(and(eq(attempts.workspaceId, of.workspaceId), eq(attempts.no, of.attemptNo)));
  await tellSweep(tx, {
    action: "instance_fenced",
    rule: "G11",
    backend: of.backend,
    workspaceId: of.workspaceId,
    evidence: {
      attempt: of.attemptNo,
      provider_id: fenced.providerId,
      failing_seconds: fenced.seconds,
      why: of.why,
    },
    sentence: `The instance of attempt ${of.attemptNo} does not end. Its token and its network were taken, and its removal is tried until it succeeds.`,
  });
}

/** A worker that comes too late must not fence what was resumed meanwhile. */
function waits(of: Stubborn) {
  return and(
    eq(machines.workspaceId, of.workspaceId),
    eq(machines.currentAttempt, of.attemptNo),
    isNull(machines.removedAt),
    sql`EXISTS (SELECT 1 FROM workspaces w WHERE w.id = ${of.workspaceId}
      AND (w.current_attempt > ${of.attemptNo} OR w.intent <> 'run' OR w.phase = 'PAUSED'))`,
  );
}

/** Attempts of the workspace of which only the removal is outstanding. */
export async function fencedAttempts(
  q: Queryable,
  workspaceId: string,
): Promise<ReadonlySet<number>> {
  const rows = await ormOf(q)
    .select({ no: machines.currentAttempt })
    .from(machines)
    .where(
      and(
        eq(machines.workspaceId, workspaceId),
        isNull(machines.removedAt),
        isNotNull(machines.fencedAt),
      ),
    );
  return new Set(rows.map((row) => row.no));
}

/** A machine whose removal nobody has confirmed. */
export interface WaitingMachine extends Stubborn {
  readonly providerId: string;
}

/** How long a stop has to note itself what it has removed. */
const NOTED_WITHIN_SECONDS = 60;

/** Machines of this backend that are to be gone by now and are not noted as such. */
export async function waitingMachines(
  q: Queryable,
  backend: Backend,
): Promise<readonly WaitingMachine[]> {
  const rows = await ormOf(q).execute<{
    provider_id: string;
    workspace_id: string;
    current_attempt: string;
  }>(sql`
    SELECT m.provider_id, m.workspace_id, m.current_attempt
    FROM machines m JOIN workspaces w ON w.id = m.workspace_id
    WHERE m.backend = ${backend} AND m.removed_at IS NULL
      AND (m.current_attempt < w.current_attempt OR w.phase IN ('PAUSED', 'DELETED'))
      AND (m.fenced_at IS NOT NULL OR COALESCE(m.removing_at, m.created_at)
        < cp_now() - ${NOTED_WITHIN_SECONDS} * interval '1 second')`);
  return rows.map((row) => ({
    providerId: row.provider_id,
    workspaceId: row.workspace_id,
    attemptNo: Number(row.current_attempt),
  }));
}

/** How many machines of this backend are not noted as gone. */
export async function countMachines(q: Queryable, backend: Backend): Promise<number> {
  const [row] = await ormOf(q).execute<{ count: number }>(sql`
    SELECT count(*)::int AS count FROM machines WHERE backend = ${backend} AND removed_at IS NULL`);
  return row?.count ?? 0;
}
