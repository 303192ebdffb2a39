import { DomainError } from "@molecule/domain/errors";
import type { Actor } from "@molecule/domain/sets";
import { and, eq, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent, hintWork } from "../events/append-event.ts";
import { activity } from "../schema/content.ts";
import { attempts, workspaces } from "../schema/workspaces.ts";
import { refuseUnderPausedAncestor } from "./ancestors.ts";
import { type LockedWorkspace, lockWorkspace } from "./lock-workspace.ts";
import { recordLifecycle } from "./record-lifecycle.ts";

/** A person's restart. */
export interface RestartRequest {
  readonly workspaceId: string;
  readonly actor: Actor;
  /** The same click sent twice is one click. Absent: every call is a click of its own. */
  readonly clickId?: string;
  /** The start gets new folders: what the agent stored is gone, `/configs` comes from the database. */
  readonly isReset?: boolean;
  /** The start takes nothing over that the agent wrote into managed files of `/configs`. */
  readonly isRebuilt?: boolean;
  /**
   * A change that belongs to the click, made in its transaction: not for a repeated click, and not
   * where nothing restarts.
   */
  readonly change?: (tx: Transaction) => Promise<void>;
}

/** Which attempt carries the click. */
export interface RestartAnswer {
  /** `external`: nothing of it is ours to restart. `absorbed`: an attempt under way includes it. */
  readonly kind: "begins" | "absorbed" | "external";
  readonly attempt: number | null;
  /** The same as a sentence for the person who clicked. */
  readonly message: string;
}

/**
 * Raises `force_seq`, so that one attempt whose snapshot comes later will run. Never merged into an
 * attempt that has its snapshot. Resets the backoff. Source: lifecycle A4, row C.
 * @throws DomainError `not_found`, `removed`, `workspace_paused`, `conflict` (a paused ancestor).
 */
export async function requestRestart(
  tx: Transaction,
  request: RestartRequest,
): Promise<RestartAnswer> {
  const { row } = await lockWorkspace(tx, request.workspaceId);
  const key = request.clickId === undefined ? undefined : `restart:${request.clickId}`;
  const earlier = key === undefined ? null : await answerOf(tx, row.id, key);
  if (earlier !== null) return earlier;
  if (row.backend === "external") {
    return {
      kind: "external",
      attempt: null,
      message: "This agent runs outside the platform, so there is nothing here to restart.",
    };
  }
  if (row.intent !== "run") {
    throw new DomainError("workspace_paused", "This workspace is paused.", {
      next: "Resume it; that starts it anew.",
    });
  }
  await refuseUnderPausedAncestor(tx, row.id);
  await request.change?.(tx);
  const answer = answerFor(row, request.isReset === true);
  await ormOf(tx)
    .update(workspaces)
    .set({
      forceSeq: row.forceSeq + 1,
      forceActorKind: request.actor.kind,
      forceActorId: request.actor.id ?? null,
      forceActorName: request.actor.name,
      crashCount: 0,
      bootFailures: 0,
      resetWanted: row.resetWanted || request.isReset === true,
      rebuildWanted: row.rebuildWanted || request.isRebuilt === true,
      nextActionAt: sql`cp_now()`,
    })
    .where(eq(workspaces.id, row.id));
  if (answer.kind === "absorbed") await noteAbsorbed(tx, row, request.actor);
  await recordLifecycle(tx, {
    workspaceId: row.id,
    actor: request.actor,
    sentence: `Restart${request.isReset === true ? " on new folders" : ""} asked for by ${request.actor.name}: attempt ${answer.attempt}`,
    ...(key === undefined ? {} : { idempotencyKey: key }),
    answer: { ...answer },
  });
  await appendEvent(tx, {
    event: "WORKSPACE_UPDATED",
    subjectId: row.id,
    payload: { restart_attempt: answer.attempt },
  });
  await hintWork(tx, row.id);
  return answer;
}

/** What a reset costs, for the person who asked for it. */
const RESET_CONSEQUENCE =
  " Its folders are replaced: what it stored in /workspace, /home and /plugins is gone, the files of /configs stay.";

function answerFor(row: LockedWorkspace["row"], isReset: boolean): RestartAnswer {
  const answer = plainAnswer(row);
  return isReset ? { ...answer, message: answer.message + RESET_CONSEQUENCE } : answer;
}

function plainAnswer(row: LockedWorkspace["row"]): RestartAnswer {
  if (row.phase === "STOPPING") {
    const attempt = row.currentAttempt;
    return {
      kind: "absorbed",
      attempt,
      message: `A restart is under way and includes yours: it is attempt ${attempt}.`,
    };
  }
  const attempt = row.currentAttempt + 1;
  const isOpen = row.phase === "CREATING" || row.phase === "BOOTING";
  return {
    kind: "begins",
    attempt,
    message: isOpen
      ? `The start under way is ended; your restart is attempt ${attempt}.`
      : `Your restart is attempt ${attempt}.`,
  };
}

async function noteAbsorbed(
  tx: Transaction,
  row: LockedWorkspace["row"],
  actor: Actor,
): Promise<void> {
  const note = JSON.stringify([`restarted by ${actor.name}`]);
  await ormOf(tx)
    .update(attempts)
    .set({
      detail: sql`jsonb_set(${attempts.detail}, '{absorbed}', (${attempts.detail}->'absorbed') || ${note}::jsonb)`,
    })
    .where(and(eq(attempts.workspaceId, row.id), eq(attempts.no, row.currentAttempt)));
}

async function answerOf(tx: Transaction, id: string, key: string): Promise<RestartAnswer | null> {
  const [row] = await ormOf(tx)
    .select({ answer: activity.responseBody })
    .from(activity)
    .where(and(eq(activity.workspaceId, id), eq(activity.idempotencyKey, key)));
  return row === undefined ? null : (row.answer as RestartAnswer);
}
