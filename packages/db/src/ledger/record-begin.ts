import type { MergedChange } from "@molecule/domain/explain";
import { type CountedRequests, requestsAtBegin } from "@molecule/domain/restart-ledger";
import { type Actor, type AttemptReason, PLATFORM_ACTOR } from "@molecule/domain/sets";
import type { Transaction } from "../database.ts";
import type { HeldWorkspace, WorkspaceRow } from "../lifecycle/held-workspace.ts";
import { changesBetween } from "../lifecycle/merged-changes.ts";
import { type RestartRequestNote, recordRequests } from "./record-request.ts";

/** An attempt that begins. `row` is as it was before. */
export interface Begun {
  readonly row: WorkspaceRow;
  readonly no: number;
  readonly reason: AttemptReason;
  readonly actor: Actor;
  /** Why, as the attempt tells it. */
  readonly sentence: string;
  readonly merged: readonly MergedChange[];
  /** Who wrote last; null when nobody did. */
  readonly lastActor: Actor | null;
}

/** Clicks that no attempt has answered for, before this one. */
export function untoldClicks(row: WorkspaceRow): number {
  return row.forceSeq - row.toldForce;
}

/**
 * Says what became of every write and click until now: one of them began the attempt, or its own reason
 * did, the others go with it. The caller raises `told_gen` and `told_force` with the phase. SPEC: L3.
 */
export async function recordBegin(tx: Transaction, begun: Begun): Promise<void> {
  const { row, reason } = begun;
  const counted = requestsAtBegin({
    reason,
    writes: row.desiredGen - row.toldGen,
    clicks: untoldClicks(row),
  });
  await recordRequests(
    tx,
    counted.map((one) => noteOf(begun, one)),
  );
}

function noteOf(begun: Begun, counted: CountedRequests): RestartRequestNote {
  const { row, no } = begun;
  const base = { workspaceId: row.id, attemptNo: no, ...counted };
  if (counted.outcome === "began") {
    return { ...base, actor: begun.actor, sentence: `${begun.sentence}.` };
  }
  if (counted.source === "click") {
    const actor = {
      kind: row.forceActorKind ?? "platform",
      id: row.forceActorId ?? undefined,
      name: row.forceActorName ?? PLATFORM_ACTOR.name,
    };
    return { ...base, actor, sentence: `Attempt ${no} was about to begin and includes it.` };
  }
  return {
    ...base,
    ...spanOf(begun.merged),
    actor: begun.lastActor ?? PLATFORM_ACTOR,
    sentence: carriedBy(no),
  };
}

function carriedBy(no: number): string {
  return `Saved in time for attempt ${no}, which carries it.`;
}

function spanOf(merged: readonly MergedChange[]) {
  const first = merged.map(({ from }) => from).sort()[0];
  const last = merged
    .map(({ to }) => to)
    .sort()
    .at(-1);
  return {
    firstAt: first === undefined ? undefined : new Date(first),
    lastAt: last === undefined ? undefined : new Date(last),
  };
}

/**
 * Says that what was written between the beginning and the snapshot is in the attempt. The caller raises
 * `told_gen` with the phase. SPEC: L4.
 */
export async function recordCarried(tx: Transaction, { row }: HeldWorkspace): Promise<void> {
  const count = row.desiredGen - row.toldGen;
  if (count <= 0) return;
  const { merged, lastActor } = await changesBetween(tx, row.id, {
    after: row.toldGen,
    upTo: row.desiredGen,
  });
  await recordRequests(tx, [
    {
      workspaceId: row.id,
      attemptNo: row.currentAttempt,
      source: "write",
      outcome: "merged",
      actor: lastActor ?? PLATFORM_ACTOR,
      sentence: carriedBy(row.currentAttempt),
      count,
      ...spanOf(merged),
    },
  ]);
}
