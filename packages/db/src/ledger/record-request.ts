import type { Actor, RestartOutcome, RestartSource } from "@molecule/domain/sets";
import { sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { restartRequests } from "../schema/ledger.ts";
import { workspaces } from "../schema/workspaces.ts";

/** Something asked for a restart, and this came of it. */
export interface RestartRequestNote {
  readonly workspaceId: string;
  readonly source: RestartSource;
  readonly outcome: RestartOutcome;
  readonly actor: Actor;
  /** A whole sentence for a person, without a number: it stands for all that are counted with it. */
  readonly sentence: string;
  /** Absent: the current attempt, none before the first. */
  readonly attemptNo?: number | undefined;
  /** How many requests; default 1. */
  readonly count?: number;
  /** When they came; default now. */
  readonly firstAt?: Date | undefined;
  readonly lastAt?: Date | undefined;
}

const T = restartRequests;

/**
 * Notes requests in the transaction that decides them. The same again (source, outcome, attempt, actor)
 * is counted in the row there is. The metrics count along by a trigger. SPEC: L3 to L5.
 */
export async function recordRequests(
  tx: Transaction,
  notes: readonly RestartRequestNote[],
): Promise<void> {
  if (notes.length === 0) return;
  await ormOf(tx)
    .insert(T)
    .values(notes.map(valuesOf))
    .onConflictDoUpdate({
      target: [T.workspaceId, T.attemptNo, T.source, T.outcome, T.actorKind, T.actorName],
      set: {
        count: sql`${T.count} + excluded.count`,
        sentence: sql`excluded.sentence`,
        lastAt: sql`GREATEST(${T.lastAt}, excluded.last_at)`,
      },
    });
}

function valuesOf(note: RestartRequestNote) {
  const current = sql<number>`(SELECT NULLIF(current_attempt, 0) FROM ${workspaces} WHERE id = ${note.workspaceId})`;
  return {
    workspaceId: note.workspaceId,
    attemptNo: note.attemptNo ?? current,
    source: note.source,
    outcome: note.outcome,
    actorKind: note.actor.kind,
    actorId: note.actor.id ?? null,
    actorName: note.actor.name,
    sentence: note.sentence,
    count: note.count ?? 1,
    firstAt: note.firstAt ?? sql`cp_now()`,
    lastAt: note.lastAt ?? sql`cp_now()`,
  };
}

/** A save that was the same as what is saved: there is nothing to restart for. */
export async function recordIdenticalSave(
  tx: Transaction,
  save: { readonly workspaceId: string; readonly actor: Actor },
): Promise<void> {
  const sentence = "Nothing in it was different from what was saved already.";
  await recordRequests(tx, [{ ...save, source: "write", outcome: "skipped", sentence }]);
}
