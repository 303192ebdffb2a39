import type { PublicFailure } from "@molecule/domain/errors";
import { PLATFORM_ACTOR } from "@molecule/domain/sets";
import { eq, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { workspaces } from "../schema/workspaces.ts";
import type { HeldWorkspace } from "./held-workspace.ts";
import { recordLifecycle } from "./record-lifecycle.ts";

/** A step that did not succeed and is repeated. */
export interface DeferredStep {
  /** What the card says until it succeeds; null when there is nothing for a person to know. */
  readonly failure: PublicFailure | null;
  readonly delayMs: number;
  /** How long a person is left untold after the deadline was extended. */
  readonly alertMs: number;
}

/**
 * Gives the workspace back with its step undone, to be repeated after the delay. Past the deadline of a
 * phase that must not be skipped, a person is told once and the deadline moves on. SPEC: B6.
 */
export async function deferStep(
  tx: Transaction,
  held: HeldWorkspace,
  step: DeferredStep,
): Promise<void> {
  const { row } = held;
  const mustSucceed = row.phase === "STOPPING" || row.phase === "DELETING";
  const isOverdue = mustSucceed && row.deadlineAt !== null && row.deadlineAt <= held.now;
  const isNews = step.failure !== null && row.failure?.sentence !== step.failure.sentence;
  await ormOf(tx)
    .update(workspaces)
    .set({
      leaseOwner: null,
      leaseUntil: null,
      nextActionAt: sql`cp_now() + ${step.delayMs} * interval '1 millisecond'`,
      ...(step.failure === null ? {} : { failure: step.failure }),
      ...(isOverdue
        ? { deadlineAt: sql`cp_now() + ${step.alertMs} * interval '1 millisecond'` }
        : {}),
    })
    .where(eq(workspaces.id, row.id));
  if (step.failure === null) return;
  if (isNews || isOverdue) {
    await recordLifecycle(tx, {
      workspaceId: row.id,
      actor: PLATFORM_ACTOR,
      sentence: isOverdue
        ? `Still not done: ${step.failure.sentence}`
        : `${step.failure.sentence} It is tried again.`,
      status: "error",
    });
    await appendEvent(tx, { event: "WORKSPACE_UPDATED", subjectId: row.id, payload: {} });
  }
}

/** What was told of a repeated step is over: the card forgets it. */
export async function forgetFailure(tx: Transaction, { row }: HeldWorkspace): Promise<void> {
  if (row.failure === null) return;
  await ormOf(tx).update(workspaces).set({ failure: null }).where(eq(workspaces.id, row.id));
  await appendEvent(tx, { event: "WORKSPACE_UPDATED", subjectId: row.id, payload: {} });
}

/** Since when the present step has been tried, for the wait until its next try. */
export function stepSince(held: HeldWorkspace): Date {
  if (held.row.intent !== "run") return held.row.intentAt;
  const mark = held.attempt?.stages.at(-1);
  return mark === undefined ? held.now : new Date(mark.at);
}
