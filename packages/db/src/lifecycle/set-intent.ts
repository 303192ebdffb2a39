import { DomainError, type PublicFailure } from "@molecule/domain/errors";
import type { Actor, EventType } from "@molecule/domain/sets";
import { and, eq, inArray, isNull, ne, or, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent, hintWork } from "../events/append-event.ts";
import { takeTurns } from "../orgs/pace-starts.ts";
import { closeInboxes } from "../queue/a2a-queue.ts";
import { layouts } from "../schema/content.ts";
import { liveness, workspaces, workspaceTokens } from "../schema/workspaces.ts";
import { lockSubtree, refuseUnderPausedAncestor } from "./ancestors.ts";
import type { WorkspaceRow } from "./held-workspace.ts";
import { lockWorkspace } from "./lock-workspace.ts";
import { recordLifecycle } from "./record-lifecycle.ts";

/** What a person wants of a workspace and everything below it. */
export interface IntentRequest {
  readonly workspaceId: string;
  readonly actor: Actor;
  /**
   * `pause`, `resume` and `delete` reach everything below; `hibernate` and `wake` the workspace alone.
   * A `wake` of one that does not sleep changes nothing.
   */
  readonly to: "pause" | "resume" | "delete" | "hibernate" | "wake";
  /** Hibernates also while it works. */
  readonly isForced?: boolean;
  /** What a `wake` is for; it becomes the reason of the start. Default `wake`: a message. */
  readonly wakesFor?: "wake" | "schedule";
  /** Why one that never began could not start, for a `resume`; absent: nobody asks. SPEC: OR9. */
  readonly lacks?: (tx: Transaction, row: WorkspaceRow) => Promise<PublicFailure | null>;
}

/** The workspaces whose intent changed, the named one included. */
export interface IntentAnswer {
  readonly affected: readonly { readonly id: string; readonly name: string }[];
}

/**
 * Pauses, resumes or deletes a subtree, puts one workspace to sleep or wakes it. The intent and its
 * status are committed at once; stopping and starting is the reconciler's. Pausing skips what is paused
 * already; resuming reaches below itself only what was paused, so that what sleeps goes on sleeping.
 * @throws DomainError `not_found` (unknown; pause of a paused one; resume of one that does not rest;
 * hibernate of one that is not up), `removed`, `missing_required_key` (resume of what never began),
 * `conflict` (below a paused ancestor), or of one that works,
 * without force; details: `active_tasks`.
 */
export async function setIntent(tx: Transaction, request: IntentRequest): Promise<IntentAnswer> {
  const subtree = await lockSubtree(tx, request.workspaceId);
  const { row } = await lockWorkspace(tx, request.workspaceId);
  if (request.to === "pause") {
    if (row.intent === "paused") throw notNow("This workspace is paused already.");
    return await change(tx, request, await pause(tx, request, subtree));
  }
  if (request.to === "resume") {
    if (row.intent === "run") throw notNow("This workspace is not paused.");
    await refuseUnderPausedAncestor(tx, row.id);
    await refuseLacking(tx, request, subtree);
    const resumed = await resume(tx, request, subtree);
    await takeTurns(
      tx,
      resumed.map(({ id }) => id),
    );
    return await change(tx, request, resumed);
  }
  if (request.to === "wake") {
    if (row.intent !== "hibernated") return { affected: [] };
    await refuseUnderPausedAncestor(tx, row.id);
    return await change(tx, request, await wake(tx, request));
  }
  if (request.to === "hibernate") {
    await refuseHibernation(tx, row, request.isForced === true);
    return await change(tx, request, await hibernate(tx, request));
  }
  return await change(tx, request, await remove(tx, request, subtree));
}

/** What was made at rest and lacks a key is not resumed, and nothing of its team is. SPEC: OR9. */
async function refuseLacking(
  tx: Transaction,
  { lacks }: IntentRequest,
  ids: readonly string[],
): Promise<void> {
  if (lacks === undefined) return;
  const rows = await ormOf(tx)
    .select()
    .from(workspaces)
    .where(
      and(
        inArray(workspaces.id, [...ids]),
        eq(workspaces.intent, "paused"),
        eq(workspaces.currentAttempt, 0),
        ne(workspaces.backend, "external"),
      ),
    )
    .orderBy(workspaces.createdAt, workspaces.id);
  const lacking: { id: string; name: string; sentence: string; missing: string[] }[] = [];
  for (const row of rows) {
    const failure = await lacks(tx, row);
    if (failure === null) continue;
    const { sentence, missing } = failure;
    lacking.push({ id: row.id, name: row.name, sentence, missing: [...(missing ?? [])] });
  }
  const [first] = lacking;
  if (first === undefined) return;
  const missing = [...new Set(lacking.flatMap((one) => one.missing))];
  const list = missing.join(", ");
  const sentence =
    lacking.length === 1
      ? `“${first.name}” cannot start: ${first.sentence}`
      : `${lacking.length} agents cannot start, as they lack ${list}: ${lacking
          .slice(0, 5)
          .map(({ name }) => `“${name}”`)
          .join(", ")}${lacking.length > 5 ? " and others" : ""}.`;
  throw new DomainError("missing_required_key", sentence, {
    next: `Enter ${list}, then resume again.`,
    details: { missing, lacking: lacking.map(({ sentence: _told, ...one }) => one) },
  });
}

function notNow(sentence: string): DomainError {
  return new DomainError("not_found", sentence, { next: "Reload to see its present state." });
}

interface Affected {
  readonly id: string;
  readonly name: string;
}
const affected = { id: workspaces.id, name: workspaces.name };

function mark(actor: Actor) {
  return {
    intentActorName: actor.name,
    intentAt: sql`cp_now()`,
    nextActionAt: sql`cp_now()`,
  };
}

async function pause(tx: Transaction, request: IntentRequest, ids: readonly string[]) {
  return await ormOf(tx)
    .update(workspaces)
    .set({ intent: "paused", ...mark(request.actor) })
    .where(and(inArray(workspaces.id, [...ids]), inArray(workspaces.intent, ["run", "hibernated"])))
    .returning(affected);
}

/**
 * As from rest, wherever the pause had got to: a worker that was killed in the middle of it has stopped
 * the instance and told nobody. What never began still has its first start before it. SPEC: R29.
 */
const fromRest = {
  phase: sql`CASE WHEN ${workspaces.phase} = 'NEW' OR ${workspaces.currentAttempt} = 0
    THEN 'NEW'::phase ELSE 'PAUSED'::phase END`,
  deadlineAt: null,
};

async function resume(tx: Transaction, request: IntentRequest, ids: readonly string[]) {
  return await ormOf(tx)
    .update(workspaces)
    .set({
      intent: "run",
      startReason: "resume",
      ...fromRest,
      ...mark(request.actor),
    })
    .where(
      or(
        and(inArray(workspaces.id, [...ids]), eq(workspaces.intent, "paused")),
        and(eq(workspaces.id, request.workspaceId), eq(workspaces.intent, "hibernated")),
      ),
    )
    .returning(affected);
}

async function wake(tx: Transaction, request: IntentRequest) {
  return await ormOf(tx)
    .update(workspaces)
    .set({
      intent: "run",
      startReason: request.wakesFor ?? "wake",
      ...fromRest,
      ...mark(request.actor),
    })
    .where(eq(workspaces.id, request.workspaceId))
    .returning(affected);
}

async function hibernate(tx: Transaction, request: IntentRequest) {
  return await ormOf(tx)
    .update(workspaces)
    .set({ intent: "hibernated", ...mark(request.actor) })
    .where(eq(workspaces.id, request.workspaceId))
    .returning(affected);
}

/** Only what is up and idle can go to sleep. Source: contract §3.3. */
async function refuseHibernation(
  tx: Transaction,
  row: typeof workspaces.$inferSelect,
  isForced: boolean,
): Promise<void> {
  const isUp = row.intent === "run" && row.phase === "READY" && row.health !== "suspected_down";
  if (!isUp || row.backend === "external") {
    throw notNow("Only an agent of ours that is online can be put to sleep.");
  }
  if (isForced) return;
  const [beat] = await ormOf(tx)
    .select({ activeTasks: liveness.activeTasks, attemptNo: liveness.attemptNo })
    .from(liveness)
    .where(eq(liveness.workspaceId, row.id));
  if (beat === undefined || beat.attemptNo !== row.currentAttempt || beat.activeTasks === 0) return;
  throw new DomainError("conflict", `${row.name} is working.`, {
    next: "Wait until it is done, or put it to sleep with force; its work is then broken off.",
    details: { active_tasks: beat.activeTasks },
  });
}

async function remove(tx: Transaction, request: IntentRequest, ids: readonly string[]) {
  const orm = ormOf(tx);
  const removed = await orm
    .update(workspaces)
    .set({ intent: "deleted", removedAt: sql`cp_now()`, ...mark(request.actor) })
    .where(and(inArray(workspaces.id, [...ids]), ne(workspaces.intent, "deleted")))
    .returning(affected);
  await orm
    .update(workspaceTokens)
    .set({ revokedAt: sql`cp_now()` })
    .where(and(inArray(workspaceTokens.workspaceId, [...ids]), isNull(workspaceTokens.revokedAt)));
  await orm.delete(layouts).where(inArray(layouts.workspaceId, [...ids]));
  await closeInboxes(tx, ids);
  return removed;
}

const TOLD: Record<IntentRequest["to"], { event: EventType; verb: string }> = {
  pause: { event: "WORKSPACE_PAUSED", verb: "Paused" },
  resume: { event: "WORKSPACE_UPDATED", verb: "Resumed" },
  delete: { event: "WORKSPACE_REMOVED", verb: "Removed" },
  // The event WORKSPACE_HIBERNATED comes when everything of it has been stopped.
  hibernate: { event: "WORKSPACE_UPDATED", verb: "Put to sleep" },
  wake: { event: "WORKSPACE_UPDATED", verb: "Woken" },
};

async function change(
  tx: Transaction,
  request: IntentRequest,
  rows: readonly Affected[],
): Promise<IntentAnswer> {
  const told = TOLD[request.to];
  for (const { id, name } of rows) {
    const isNamed = id === request.workspaceId;
    await recordLifecycle(tx, {
      workspaceId: id,
      actor: request.actor,
      sentence: isNamed
        ? `${told.verb} by ${request.actor.name}`
        : `${told.verb} together with its team by ${request.actor.name}`,
    });
    await appendEvent(tx, {
      event: told.event,
      subjectId: id,
      payload: {
        name,
        ...(request.to === "delete" && isNamed ? { cascade_deleted: rows.length - 1 } : {}),
      },
    });
    await hintWork(tx, id);
  }
  return { affected: rows };
}
