import { PLATFORM_ACTOR } from "@molecule/domain/sets";
import { and, eq, isNull, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent, hintWork } from "../events/append-event.ts";
import { wakeQueue } from "../queue/a2a-queue.ts";
import { attempts, liveness } from "../schema/workspaces.ts";
import { recordLifecycle } from "./record-lifecycle.ts";
import { stageMarked } from "./stage-mark.ts";
import { tellRestart } from "./tell-restart.ts";

/** The attempt that a token speaks for. */
export interface AttemptRef {
  readonly workspaceId: string;
  readonly attemptNo: number;
}

/**
 * Notes that the attempt's agent has registered; the card then waits for its first beat. A second
 * registration changes nothing. Takes no lock on the workspace; a transaction that also writes the
 * workspace's row writes that first, because everybody locks the workspace before its attempts.
 */
export async function markRegistered(tx: Transaction, ref: AttemptRef): Promise<void> {
  const marked = await ormOf(tx)
    .update(attempts)
    .set({ registeredAt: sql`cp_now()`, ...stageMarked("first_heartbeat") })
    .where(
      and(
        eq(attempts.workspaceId, ref.workspaceId),
        eq(attempts.no, ref.attemptNo),
        isNull(attempts.registeredAt),
        isNull(attempts.outcome),
      ),
    )
    .returning({ no: attempts.no });
  if (marked.length === 0) return;
  await appendEvent(tx, {
    event: "WORKSPACE_STAGE",
    subjectId: ref.workspaceId,
    payload: { attempt: ref.attemptNo, stage: "first_heartbeat" },
  });
}

/**
 * Makes the attempt READY with the first beat of its agent, and applied what its snapshot contained.
 * Call it after the beat is in `liveness`, for tokens of kind `attempt` only. Later beats and beats of
 * other attempts change nothing and take no lock. Before the reconciler has recorded the instance the
 * beat only counts; the reconciler then finds it (early registration). A beat after a boot timeout
 * adopts the late instance. Source: lifecycle A4 row H=, A5 "ready".
 */
export async function markFirstHeartbeat(
  tx: Transaction,
  ref: AttemptRef,
): Promise<{ readonly becameReady: boolean }> {
  const orm = ormOf(tx);
  const [attempt] = await orm
    .select({ outcome: attempts.outcome })
    .from(attempts)
    .where(and(eq(attempts.workspaceId, ref.workspaceId), eq(attempts.no, ref.attemptNo)));
  if (attempt === undefined) return { becameReady: false };
  if (attempt.outcome !== null && attempt.outcome !== "boot_timeout") return { becameReady: false };
  return { becameReady: await makeReady(tx, ref) };
}

/** The one statement that makes an attempt READY; false when the attempt cannot be. */
export async function makeReady(tx: Transaction, ref: AttemptRef): Promise<boolean> {
  const orm = ormOf(tx);
  const rows = await orm.execute<{ boot_ms: number | null }>(sql`
    UPDATE workspaces w SET
      phase = 'READY', health = 'ok', failure = NULL, boot_failures = 0,
      applied_gen = GREATEST(w.applied_gen, a.snap_gen),
      applied_force = GREATEST(w.applied_force, a.snap_force),
      deadline_at = NULL, ready_at = cp_now(),
      first_dirty_at = CASE WHEN w.desired_gen > a.snap_gen THEN w.last_dirty_at END,
      next_action_at = CASE WHEN w.desired_gen > a.snap_gen OR w.force_seq > a.snap_force
          OR w.hibernation_idle_minutes IS NOT NULL
        THEN cp_now() END
    FROM attempts a
    WHERE w.id = ${ref.workspaceId} AND w.intent = 'run'
      AND a.workspace_id = w.id AND a.no = w.current_attempt AND a.no = ${ref.attemptNo}
      AND ((w.phase = 'BOOTING' AND a.outcome IS NULL)
        OR (w.phase IN ('BACKOFF', 'FAILED') AND a.outcome = 'boot_timeout'))
      AND a.snap_gen IS NOT NULL
    RETURNING (extract(epoch FROM cp_now() - a.created_at) * 1000)::int AS boot_ms`);
  const [row] = rows;
  if (row === undefined) return false;
  await orm
    .update(attempts)
    .set({
      outcome: "ready",
      failure: null,
      endedAt: null,
      readyAt: sql`cp_now()`,
      registeredAt: sql`COALESCE(${attempts.registeredAt}, cp_now())`,
    })
    .where(and(eq(attempts.workspaceId, ref.workspaceId), eq(attempts.no, ref.attemptNo)));
  const seconds = ((row.boot_ms ?? 0) / 1000).toFixed(1);
  await recordLifecycle(tx, {
    workspaceId: ref.workspaceId,
    actor: PLATFORM_ACTOR,
    sentence: `Online after ${seconds} s (attempt ${ref.attemptNo})`,
    durationMs: row.boot_ms ?? 0,
  });
  await appendEvent(tx, {
    event: "WORKSPACE_ONLINE",
    subjectId: ref.workspaceId,
    payload: { recovered_from: "provisioning", attempt: ref.attemptNo },
  });
  await tellRestart(tx, ref);
  await wakeQueue(tx, ref.workspaceId);
  await hintWork(tx, ref.workspaceId);
  return true;
}

/** True when the attempt's agent has registered and beaten, whatever the phase is. */
export async function hasBeaten(tx: Transaction, ref: AttemptRef): Promise<boolean> {
  const [row] = await ormOf(tx)
    .select({ attemptNo: liveness.attemptNo })
    .from(liveness)
    .where(and(eq(liveness.workspaceId, ref.workspaceId), eq(liveness.attemptNo, ref.attemptNo)));
  return row !== undefined;
}
