import type { DownCause, LifecycleFacts } from "@molecule/domain/decide";
import { ENDED_WITH_ENGINE } from "@molecule/domain/explain";
import { and, eq, gt, inArray, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { attempts, changes, liveness, observations, workspaces } from "../schema/workspaces.ts";
import { idleFacts } from "./idle-facts.ts";
import { clock } from "./lock-workspace.ts";

/** The lease under which a reconciler writes. Source: lifecycle A5. */
export interface Fence {
  readonly workspaceId: string;
  readonly epoch: number;
  readonly owner: string;
}

export type WorkspaceRow = typeof workspaces.$inferSelect;
export type AttemptRow = typeof attempts.$inferSelect;

/** A workspace whose row is locked under a valid fence, with everything a decision reads. */
export interface HeldWorkspace {
  readonly fence: Fence;
  readonly row: WorkspaceRow;
  readonly now: Date;
  /** The attempt with the number `current_attempt`; null before the first. */
  readonly attempt: AttemptRow | null;
  readonly facts: LifecycleFacts;
  /** How the instance ended, when a probe saw it and knows. */
  readonly downDetail: string | null;
}

/** Detail of an observation: the instance ended while no worker ran, so it was no crash. */
export const ENDED_WITH_PLATFORM = "it ended together with the platform";

/** How long a beat says something about running turns, in seconds. */
const BEAT_FRESH_SECONDS = 90;

/**
 * Locks the row under the fence and reads the facts. Null when the lease is lost: the caller stops at
 * once and writes nothing. Everything written in the same transaction is thereby fenced.
 */
export async function holdWorkspace(tx: Transaction, fence: Fence): Promise<HeldWorkspace | null> {
  const orm = ormOf(tx);
  const [row] = await orm
    .select()
    .from(workspaces)
    .where(
      and(
        eq(workspaces.id, fence.workspaceId),
        eq(workspaces.leaseEpoch, fence.epoch),
        eq(workspaces.leaseOwner, fence.owner),
      ),
    )
    .for("no key update");
  if (row === undefined) return null;
  const ofAttempt = and(eq(attempts.workspaceId, row.id), eq(attempts.no, row.currentAttempt));
  const [timed] = await orm
    .select({
      now: clock,
      attempt: attempts,
      beat: liveness,
      isFresh: beatIsFresh,
      turnsSent,
    })
    .from(workspaces)
    .leftJoin(attempts, ofAttempt)
    .leftJoin(liveness, eq(liveness.workspaceId, workspaces.id))
    .where(eq(workspaces.id, row.id));
  if (timed === undefined) throw new Error("invariant: a locked row does not vanish");
  const { now, attempt } = timed;
  const beat = timed.beat?.attemptNo === row.currentAttempt ? timed.beat : null;
  const down = await firstDown(tx, row, attempt);
  const facts: LifecycleFacts = {
    ...row,
    applyPolicy: row.pendingPolicy ?? row.applyPolicy,
    dirty: {
      firstDirtyAt: row.firstDirtyAt,
      lastDirtyAt: row.lastDirtyAt,
      stream: row.dirtyStream,
      streamRestarts: row.streamRestarts,
      isBatch: row.dirtyIsBatch,
    },
    pendingKinds: await pendingKinds(tx, row),
    attempt,
    hasBeaten: beat !== null && row.currentAttempt > 0,
    down: down?.cause ?? null,
    idle: await idleFacts(tx, row),
    activeTurns: Math.max(beat !== null && timed.isFresh ? beat.activeTasks : 0, timed.turnsSent),
  };
  return { fence, row, now, attempt, facts, downDetail: down?.detail ?? null };
}

/** Turns that an agent works on at this moment, as far as anybody has told. */
export async function runningTurns(q: Queryable, workspaceId: string): Promise<number> {
  const [row] = await ormOf(q)
    .select({ isFresh: beatIsFresh, reported: liveness.activeTasks, turnsSent })
    .from(workspaces)
    .leftJoin(
      liveness,
      and(
        eq(liveness.workspaceId, workspaces.id),
        eq(liveness.attemptNo, workspaces.currentAttempt),
      ),
    )
    .where(eq(workspaces.id, workspaceId));
  if (row === undefined) return 0;
  return Math.max(row.isFresh ? (row.reported ?? 0) : 0, row.turnsSent);
}

const beatIsFresh = sql<boolean>`COALESCE(${liveness.lastHeartbeatAt} > cp_now() - ${BEAT_FRESH_SECONDS} * interval '1 second', false)`;

/** Messages that were sent and not answered: a turn that has begun before a beat has told of it. */
const turnsSent = sql<number>`(
  SELECT count(*)::int FROM a2a_queue q
  WHERE q.workspace_id = ${workspaces.id} AND q.status = 'dispatched' AND q.dispatched_at IS NOT NULL
    AND q.lease_until > cp_now() AND COALESCE(q.idempotency_key, '') NOT LIKE 'restart-context:%')`;

async function pendingKinds(tx: Transaction, row: WorkspaceRow) {
  if (row.desiredGen <= row.appliedGen) return [];
  const rows = await ormOf(tx)
    .selectDistinct({ kind: changes.kind })
    .from(changes)
    .where(and(eq(changes.workspaceId, row.id), gt(changes.gen, row.appliedGen)));
  return rows.map(({ kind }) => kind);
}

/**
 * What was seen first of the current attempt since it became ready, or since it began. The first says
 * how it ended; whoever looks later finds it gone and knows less. SPEC: R25.
 */
async function firstDown(
  tx: Transaction,
  row: WorkspaceRow,
  attempt: AttemptRow | null,
): Promise<{ cause: DownCause; detail: string | null } | null> {
  if (attempt === null) return null;
  const [seen] = await ormOf(tx)
    .select({ kind: observations.kind, detail: observations.detail })
    .from(observations)
    .where(
      and(
        eq(observations.workspaceId, row.id),
        eq(observations.attemptNo, attempt.no),
        inArray(observations.kind, ["exited", "gone", "unreachable"]),
        sql`${observations.at} >= ${(attempt.readyAt ?? attempt.createdAt).toISOString()}::timestamptz`,
      ),
    )
    .orderBy(observations.id)
    .limit(1);
  if (seen === undefined) return null;
  if (seen.detail === ENDED_WITH_PLATFORM) return { cause: "platform_stopped", detail: null };
  if (seen.detail === ENDED_WITH_ENGINE) return { cause: "platform_stopped", detail: seen.detail };
  return { cause: seen.kind === "unreachable" ? "unhealthy" : "exited", detail: seen.detail };
}

/** Gives the workspace back; it is looked at again at `wakeAt`, or after the next write when null. */
export async function releaseWorkspace(
  tx: Transaction,
  held: HeldWorkspace,
  wakeAt: Date | null,
): Promise<void> {
  await ormOf(tx)
    .update(workspaces)
    .set({ leaseOwner: null, leaseUntil: null, nextActionAt: wakeAt })
    .where(eq(workspaces.id, held.row.id));
}
