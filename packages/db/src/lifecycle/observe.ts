import type { Backend, ObservationKind } from "@molecule/domain/sets";
import { and, eq, inArray, sql } from "drizzle-orm";
import { type Database, ormOf, type Queryable } from "../database.ts";
import { appendEvent, hintWork } from "../events/append-event.ts";
import { attempts, liveness, observations, workspaces } from "../schema/workspaces.ts";

/** A workspace whose instance is expected to run. */
export interface ExpectedRunning {
  readonly workspaceId: string;
  readonly backend: Backend;
  readonly attemptNo: number;
  /** host:port of the instance; null when not known. */
  readonly address: string | null;
  /** No beat of this attempt for as long as three beats take. */
  readonly isSilent: boolean;
  readonly health: string;
}

/** READY workspaces that are meant to run. `silentAfterMs` is three times the beat. */
export async function listExpectedRunning(
  q: Queryable,
  silentAfterMs: number,
): Promise<readonly ExpectedRunning[]> {
  const silent = sql<boolean>`GREATEST(${liveness.lastHeartbeatAt}, ${workspaces.readyAt}) < cp_now() - ${silentAfterMs} * interval '1 millisecond'`;
  const rows = await ormOf(q)
    .select({
      workspaceId: workspaces.id,
      backend: workspaces.backend,
      attemptNo: workspaces.currentAttempt,
      address: attempts.providerAddr,
      isSilent: silent,
      health: workspaces.health,
    })
    .from(workspaces)
    .innerJoin(
      attempts,
      and(eq(attempts.workspaceId, workspaces.id), eq(attempts.no, workspaces.currentAttempt)),
    )
    .leftJoin(
      liveness,
      and(
        eq(liveness.workspaceId, workspaces.id),
        eq(liveness.attemptNo, workspaces.currentAttempt),
      ),
    )
    .where(
      and(
        eq(workspaces.phase, "READY"),
        eq(workspaces.intent, "run"),
        inArray(workspaces.backend, ["process", "docker"]),
      ),
    );
  return rows.map((row) => ({ ...row, isSilent: row.isSilent === true }));
}

/** What a probe saw. */
export interface Observed {
  readonly workspaceId: string;
  readonly attemptNo: number;
  readonly kind: ObservationKind;
  /** Exit code or signal; never the agent's own words. */
  readonly detail: string | null;
  /**
   * Seen by who has the instance in hand: the reconciler waiting for its boot, or the stop that ended
   * it. Absent for every probe: while an attempt is open a probe changes nothing.
   */
  readonly isInHand?: boolean;
}

/**
 * Stores what a probe saw of one attempt and, when the instance is down, makes the workspace due. Says
 * nothing about an attempt that is still open or has been replaced meanwhile: false then.
 */
export async function recordObservation(db: Database, seen: Observed): Promise<boolean> {
  const { isInHand, ...observation } = seen;
  return await db.transaction(async (tx) => {
    const orm = ormOf(tx);
    const isDown = seen.kind !== "missed_heartbeat";
    const current = await orm
      .update(workspaces)
      .set(isDown ? { nextActionAt: sql`cp_now()` } : { health: "suspected_down" })
      .where(
        and(
          eq(workspaces.id, seen.workspaceId),
          eq(workspaces.currentAttempt, seen.attemptNo),
          inArray(workspaces.phase, isInHand ? ["READY", "BOOTING"] : ["READY"]),
          eq(workspaces.intent, "run"),
        ),
      )
      .returning({ id: workspaces.id });
    if (current.length === 0) return false;
    await orm.insert(observations).values(observation);
    if (!isDown) {
      await appendEvent(tx, {
        event: "WORKSPACE_OFFLINE",
        subjectId: seen.workspaceId,
        payload: { attempt: seen.attemptNo, suspected: true },
      });
    }
    await hintWork(tx, seen.workspaceId);
    return true;
  });
}
