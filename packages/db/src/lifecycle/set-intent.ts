import { DomainError } from "@molecule/domain/errors";
import type { Actor, EventType } from "@molecule/domain/sets";
import { and, inArray, isNull, ne, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent, hintWork } from "../events/append-event.ts";
import { layouts } from "../schema/content.ts";
import { workspaces, workspaceTokens } from "../schema/workspaces.ts";
import { lockSubtree, refuseUnderPausedAncestor } from "./ancestors.ts";
import { lockWorkspace } from "./lock-workspace.ts";
import { recordLifecycle } from "./record-lifecycle.ts";

/** What a person wants of a workspace and everything below it. */
export interface IntentRequest {
  readonly workspaceId: string;
  readonly actor: Actor;
  readonly to: "pause" | "resume" | "delete";
}

/** The workspaces whose intent changed, the named one included. */
export interface IntentAnswer {
  readonly affected: readonly { readonly id: string; readonly name: string }[];
}

/**
 * Pauses, resumes or deletes a subtree. The intent and its status are committed at once; stopping and
 * starting is the reconciler's. Pausing skips what is paused already, resuming what was not paused.
 * @throws DomainError `not_found` (unknown; pause of a paused one; resume of one that is not paused),
 * `removed`, `conflict` (resume below a paused ancestor).
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
    return await change(tx, request, await resume(tx, request, subtree));
  }
  return await change(tx, request, await remove(tx, request, subtree));
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

async function resume(tx: Transaction, request: IntentRequest, ids: readonly string[]) {
  return await ormOf(tx)
    .update(workspaces)
    .set({ intent: "run", ...mark(request.actor) })
    .where(
      and(inArray(workspaces.id, [...ids]), inArray(workspaces.intent, ["paused", "hibernated"])),
    )
    .returning(affected);
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
  return removed;
}

const TOLD: Record<IntentRequest["to"], { event: EventType; verb: string }> = {
  pause: { event: "WORKSPACE_PAUSED", verb: "Paused" },
  resume: { event: "WORKSPACE_UPDATED", verb: "Resumed" },
  delete: { event: "WORKSPACE_REMOVED", verb: "Removed" },
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
