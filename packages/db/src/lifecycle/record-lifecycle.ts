import type { ActivityStatus, Actor } from "@molecule/domain/sets";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { activity } from "../schema/content.ts";

/** One line of a workspace's history, as a person reads it. */
export interface LifecycleNote {
  readonly workspaceId: string;
  readonly actor: Actor;
  /** A whole sentence; never vendor text, never a secret. */
  readonly sentence: string;
  /** `change` for a write of desired state; everything else is `lifecycle`. */
  readonly type?: "lifecycle" | "change";
  /** `error` for a failure. Default `ok`. */
  readonly status?: Extract<ActivityStatus, "ok" | "error">;
  /** Makes a repeated request one row. */
  readonly idempotencyKey?: string;
  /** What the request was answered; a repeat is answered the same. */
  readonly answer?: Readonly<Record<string, unknown>>;
  readonly durationMs?: number;
}

/** Adds the activity row and its event in the transaction of what it tells about. */
export async function recordLifecycle(tx: Transaction, note: LifecycleNote): Promise<void> {
  const type = note.type ?? "lifecycle";
  const status = note.status ?? "ok";
  await ormOf(tx)
    .insert(activity)
    .values({
      workspaceId: note.workspaceId,
      activityType: type,
      sourceId: note.actor.kind === "workspace" ? (note.actor.id ?? null) : null,
      summary: note.sentence,
      status,
      errorDetail: status === "error" ? note.sentence : null,
      actorName: note.actor.name,
      idempotencyKey: note.idempotencyKey ?? null,
      responseBody: note.answer ?? null,
      durationMs: note.durationMs ?? null,
    });
  await appendEvent(tx, {
    event: "ACTIVITY_LOGGED",
    subjectId: note.workspaceId,
    payload: {
      activity_type: type,
      method: null,
      summary: note.sentence,
      status,
      source_id: null,
      target_id: null,
      duration_ms: note.durationMs ?? null,
    },
  });
}
