import { isAskedFor } from "@molecule/domain/decide";
import { explainAttempt } from "@molecule/domain/explain";
import { withInterrupted } from "@molecule/domain/restart-context";
import { type Actor, type AttemptReason, PLATFORM_ACTOR } from "@molecule/domain/sets";
import { and, eq, isNull, lt, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { recordBegin, untoldClicks } from "../ledger/record-begin.ts";
import { attempts, workspaces, workspaceTokens } from "../schema/workspaces.ts";
import type { HeldWorkspace, WorkspaceRow } from "./held-workspace.ts";
import { turnsUnderWay } from "./interrupted-turns.ts";
import { type ChangesBetween, changesBetween } from "./merged-changes.ts";
import { recordLifecycle } from "./record-lifecycle.ts";
import { stageMarked } from "./stage-mark.ts";

/**
 * Begins the next attempt: its row is committed before any backend call, an open one is closed as
 * aborted, tokens of older attempts are revoked, and its reason is told. `stopAlertMs` bounds the
 * time until somebody is told that stopping does not succeed. Source: lifecycle A3 BEGIN, A5.
 */
export async function beginAttempt(
  tx: Transaction,
  held: HeldWorkspace,
  options: { readonly reason: AttemptReason; readonly stopAlertMs: number },
): Promise<number> {
  const orm = ormOf(tx);
  const { row, attempt: previous } = held;
  const no = row.currentAttempt + 1;
  await orm
    .update(attempts)
    .set({ outcome: "aborted", endedAt: sql`cp_now()` })
    .where(and(eq(attempts.workspaceId, row.id), isNull(attempts.outcome)));
  const carried = await changesBetween(tx, row.id, {
    after: answeredGen(held),
    upTo: row.desiredGen,
  });
  const actor = actorOf(row, options.reason, carried);
  const interrupted = await turnsUnderWay(tx, row);
  const why = explainAttempt({
    reason: options.reason,
    actor,
    merged: carried.merged,
    exit: held.downDetail,
    failure: previous?.failure?.sentence ?? null,
  });
  const sentence = withInterrupted(why, interrupted);
  await orm.insert(attempts).values({
    workspaceId: row.id,
    no,
    reason: options.reason,
    detail: {
      sentence,
      merged: carried.merged,
      absorbed: [],
      ...(interrupted.length === 0 ? {} : { interrupted }),
    },
    actorKind: actor.kind,
    actorId: actor.id ?? null,
    actorName: actor.name,
    leaseEpoch: held.fence.epoch,
    expectedMs: await expectedMs(tx, row),
  });
  await orm
    .update(attempts)
    .set(stageMarked("queued"))
    .where(and(eq(attempts.workspaceId, row.id), eq(attempts.no, no)));
  await orm
    .update(workspaces)
    .set({
      phase: "STOPPING",
      currentAttempt: no,
      // What is saved until the snapshot rides along, however it was to be applied.
      pendingPolicy: null,
      deadlineAt: sql`cp_now() + ${options.stopAlertMs} * interval '1 millisecond'`,
      nextActionAt: sql`cp_now()`,
      failure: null,
      health: "ok",
      toldGen: row.desiredGen,
      toldForce: row.forceSeq,
    })
    .where(eq(workspaces.id, row.id));
  await revokeOlder(tx, row.id, no);
  await recordBegin(tx, { row, no, reason: options.reason, actor, sentence, ...carried });
  await tell(tx, held, { no, reason: options.reason, actor, sentence, carried });
  return no;
}

/** The newest generation that an attempt has already answered for. */
export function answeredGen({ row, attempt }: HeldWorkspace): number {
  return Math.max(row.appliedGen, attempt?.snapGen ?? 0);
}

function actorOf(row: WorkspaceRow, reason: AttemptReason, carried: ChangesBetween): Actor {
  switch (reason) {
    case "create":
    case "resume":
      return row.intentActorName === null
        ? PLATFORM_ACTOR
        : { kind: "member", name: row.intentActorName };
    case "wake":
      // Whether a person or an agent wrote is not kept, only the name.
      return { kind: "platform", name: row.intentActorName ?? PLATFORM_ACTOR.name };
    case "user":
      return {
        kind: row.forceActorKind ?? "platform",
        id: row.forceActorId ?? undefined,
        name: row.forceActorName ?? PLATFORM_ACTOR.name,
      };
    case "files":
    case "settings":
    case "secret":
    case "plugin":
    case "image":
    case "redeploy":
    case "template":
      return carried.lastActor ?? PLATFORM_ACTOR;
    default:
      return PLATFORM_ACTOR;
  }
}

/** Median time to READY of the last 20 starts on the same runtime and backend; null before one. */
async function expectedMs(tx: Transaction, row: WorkspaceRow): Promise<number | null> {
  const [found] = await ormOf(tx).execute<{ ms: number | null }>(sql`
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM ready_at - created_at) * 1000)::int AS ms
    FROM (
      SELECT a.ready_at, a.created_at FROM attempts a JOIN workspaces w ON w.id = a.workspace_id
      WHERE a.ready_at IS NOT NULL AND a.outcome = 'ready'
        AND w.runtime = ${row.runtime} AND w.backend = ${row.backend}
      ORDER BY a.ready_at DESC LIMIT 20
    ) latest`);
  return found?.ms ?? null;
}

/** Never "all tokens of this workspace": a fresh one must survive whatever order things happen in. */
async function revokeOlder(tx: Transaction, workspaceId: string, no: number): Promise<void> {
  await ormOf(tx)
    .update(workspaceTokens)
    .set({ revokedAt: sql`cp_now()` })
    .where(
      and(
        eq(workspaceTokens.workspaceId, workspaceId),
        eq(workspaceTokens.kind, "attempt"),
        lt(workspaceTokens.attemptNo, no),
        isNull(workspaceTokens.revokedAt),
      ),
    );
}

interface Begun {
  readonly no: number;
  readonly reason: AttemptReason;
  readonly actor: Actor;
  readonly sentence: string;
  readonly carried: ChangesBetween;
}

async function tell(tx: Transaction, { row }: HeldWorkspace, begun: Begun): Promise<void> {
  const verb = begun.no === 1 ? "Starting" : "Restarting";
  await recordLifecycle(tx, {
    workspaceId: row.id,
    actor: begun.actor,
    sentence: `${verb} (attempt ${begun.no}): ${begun.sentence}`,
  });
  await appendEvent(tx, {
    event: "WORKSPACE_PROVISIONING",
    subjectId: row.id,
    payload: {
      name: row.name,
      tier: row.tier,
      runtime: row.runtime,
      ...(row.parentId === null ? {} : { parent_id: row.parentId }),
      attempt: begun.no,
      reason: begun.reason,
    },
  });
  if (isAskedFor(begun.reason, untoldClicks(row) > 0)) return;
  await appendEvent(tx, {
    event: "WORKSPACE_AUTO_RESTART_FIRED",
    subjectId: row.id,
    payload: {
      attempt: begun.no,
      reason: begun.reason,
      detail: begun.sentence,
      actor: begun.actor.name,
      merged: begun.carried.merged.map(({ kind, count, from, to }) => ({ kind, count, from, to })),
      generation: row.desiredGen,
    },
  });
}
