import type { PublicFailure } from "@molecule/domain/errors";
import { type Backend, type ObservationKind, PLATFORM_ACTOR } from "@molecule/domain/sets";
import { and, eq, inArray, ne, or, sql } from "drizzle-orm";
import { type Database, ormOf, type Queryable, type Transaction } from "../database.ts";
import { appendEvent, hintWork } from "../events/append-event.ts";
import { recordRequests } from "../ledger/record-request.ts";
import { attempts, liveness, observations, workspaces } from "../schema/workspaces.ts";
import { recordLifecycle } from "./record-lifecycle.ts";

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
  /** An outage of its backend has been told and not ended. */
  readonly isInOutage: boolean;
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
      isInOutage: sql<boolean>`COALESCE(${isToldOutage}, false)`,
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
        ne(workspaces.backend, "external"),
      ),
    );
  return rows.map((row) => ({ ...row, isSilent: row.isSilent === true }));
}

const isToldOutage = sql`${workspaces.failure}->>'code' = 'engine_unavailable'`;

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
 * nothing about an attempt that is still open or has been replaced meanwhile: false then, and the ledger
 * counts that it asked.
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
    if (current.length === 0) {
      if (isInHand !== true) await recordObserved(tx, seen);
      return false;
    }
    await orm.insert(observations).values(observation);
    if (!isDown) {
      await recordObserved(tx, seen);
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

/** A probe asked, and may not act: its attempt is open, replaced or suspected only. SPEC: L5. */
async function recordObserved(tx: Transaction, seen: Observed): Promise<void> {
  const [row] = await ormOf(tx)
    .select({ current: workspaces.currentAttempt, phase: workspaces.phase })
    .from(workspaces)
    .where(and(eq(workspaces.id, seen.workspaceId), ne(workspaces.intent, "deleted")));
  if (row === undefined) return;
  const isEnded = seen.kind === "exited" || seen.kind === "gone";
  await recordRequests(tx, [
    {
      workspaceId: seen.workspaceId,
      attemptNo: seen.attemptNo,
      source: isEnded ? "dead_container" : "liveness",
      outcome: "observed",
      actor: PLATFORM_ACTOR,
      sentence: sentenceOf(seen, row),
    },
  ]);
}

function sentenceOf(
  seen: Observed,
  row: { readonly current: number; readonly phase: string },
): string {
  if (row.current !== seen.attemptNo) {
    return `A probe reported on attempt ${seen.attemptNo}, which attempt ${row.current} has replaced.`;
  }
  if (row.phase === "READY")
    return "No sign of life for a while; it is looked at before anything is done.";
  return `A probe reported on attempt ${seen.attemptNo}, which is not up; a probe changes nothing then.`;
}

/** The attempt of a running workspace that an outage is about. */
export interface OutageOf {
  readonly workspaceId: string;
  readonly attemptNo: number;
}

/**
 * The card says that what the agent runs on is away. Nothing is restarted and nothing becomes due; told
 * again it changes nothing. Ends with {@link endOutage} or with the next attempt. SPEC: H6.
 */
export async function tellOutage(
  db: Database,
  of: OutageOf,
  failure: PublicFailure,
): Promise<void> {
  await db.transaction(async (tx) => {
    const told = await ormOf(tx)
      .update(workspaces)
      .set({ health: "suspected_down", failure })
      .where(
        and(
          isRunningAttempt(of),
          or(
            ne(workspaces.health, "suspected_down"),
            sql`${workspaces.failure}->>'sentence' IS DISTINCT FROM ${failure.sentence}`,
          ),
        ),
      )
      .returning({ id: workspaces.id });
    if (told.length === 0) return;
    await recordLifecycle(tx, {
      workspaceId: of.workspaceId,
      actor: PLATFORM_ACTOR,
      sentence: failure.sentence,
      status: "error",
    });
    await appendEvent(tx, {
      event: "WORKSPACE_OFFLINE",
      subjectId: of.workspaceId,
      payload: { attempt: of.attemptNo, suspected: true, error: failure.sentence },
    });
  });
}

/** The agent was seen at work after an outage: the card says so. Without one nothing changes. */
export async function endOutage(db: Database, of: OutageOf): Promise<void> {
  await db.transaction(async (tx) => {
    const ended = await ormOf(tx)
      .update(workspaces)
      .set({
        failure: null,
        health: sql`CASE WHEN ${workspaces.health} = 'suspected_down' THEN 'ok' ELSE ${workspaces.health} END`,
      })
      .where(and(isRunningAttempt(of), isToldOutage))
      .returning({ id: workspaces.id });
    if (ended.length === 0) return;
    await appendEvent(tx, {
      event: "WORKSPACE_ONLINE",
      subjectId: of.workspaceId,
      payload: { recovered_from: "offline", attempt: of.attemptNo },
    });
  });
}

function isRunningAttempt(of: OutageOf) {
  return and(
    eq(workspaces.id, of.workspaceId),
    eq(workspaces.currentAttempt, of.attemptNo),
    eq(workspaces.phase, "READY"),
    eq(workspaces.intent, "run"),
  );
}
