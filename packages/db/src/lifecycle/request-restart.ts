import { DomainError, type PublicFailure } from "@molecule/domain/errors";
import type { Actor } from "@molecule/domain/sets";
import { and, eq, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent, hintWork } from "../events/append-event.ts";
import { recordRequests } from "../ledger/record-request.ts";
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
  /** Why it could not start as it is; null when it could. Asked when nothing else refuses it. */
  readonly lacks?: (
    tx: Transaction,
    row: Pick<LockedWorkspace["row"], "id" | "config">,
  ) => Promise<PublicFailure | null>;
}

/** Which attempt carries the click. */
export interface RestartAnswer {
  /** `external`: nothing of it is ours to restart. `absorbed`: an attempt under way includes it. */
  readonly kind: "begins" | "absorbed" | "external";
  readonly attempt: number | null;
  /** The same as a sentence for the person who clicked. */
  readonly message: string;
}

/** Nothing restarts, and the ledger says that it was asked for. Thrown once that is committed. */
interface RestartRefusal {
  readonly kind: "refused";
  readonly error: DomainError;
}

/** The answer of what is not refused. Call it after the commit. @throws the refusal's DomainError. */
export function orRefused<A extends { readonly kind: string }>(answer: A | RestartRefusal): A {
  if (isRefusal(answer)) throw answer.error;
  return answer;
}

function isRefusal(answer: { readonly kind: string }): answer is RestartRefusal {
  return answer.kind === "refused";
}

/**
 * Raises `force_seq`, so that one attempt whose snapshot comes later will run. Never merged into an
 * attempt that has its snapshot. Resets the backoff. Source: lifecycle A4, row C.
 * Refused with `workspace_paused`, `conflict` (a paused ancestor), `missing_required_key` or
 * `secret_unreadable` (details: `missing`).
 * @throws DomainError `not_found`, `removed`.
 */
export async function requestRestart(
  tx: Transaction,
  request: RestartRequest,
): Promise<RestartAnswer | RestartRefusal> {
  const { row } = await lockWorkspace(tx, request.workspaceId);
  const key = request.clickId === undefined ? undefined : `restart:${request.clickId}`;
  const earlier = key === undefined ? null : await answerOf(tx, row.id, key);
  if (earlier !== null) return earlier;
  if (row.backend === "external") {
    const message = "This agent runs outside the platform, so there is nothing here to restart.";
    await recordSkippedClick(tx, request, message);
    return { kind: "external", attempt: null, message };
  }
  const error = (await refusalOf(tx, row)) ?? (await lackOf(tx, row, request));
  if (error !== null) {
    await recordSkippedClick(tx, request, error.message);
    return { kind: "refused", error };
  }
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
      ...(answer.kind === "absorbed" ? { toldForce: row.forceSeq + 1 } : {}),
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
  const sentence = `Attempt ${row.currentAttempt} was under way and includes it.`;
  const click = { workspaceId: row.id, actor, source: "click", outcome: "merged" } as const;
  await recordRequests(tx, [{ ...click, sentence, attemptNo: row.currentAttempt }]);
}

/** Why a click on this workspace is refused; null when it is not. */
async function refusalOf(
  tx: Transaction,
  row: LockedWorkspace["row"],
): Promise<DomainError | null> {
  if (row.intent !== "run") {
    return new DomainError("workspace_paused", "This workspace is paused.", {
      next: "Resume it; that starts it anew.",
    });
  }
  try {
    await refuseUnderPausedAncestor(tx, row.id);
    return null;
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

/** What cannot start is not stopped for it either. SPEC: R30, R31. */
async function lackOf(
  tx: Transaction,
  row: LockedWorkspace["row"],
  { lacks }: RestartRequest,
): Promise<DomainError | null> {
  const failure = (await lacks?.(tx, row)) ?? null;
  if (failure === null) return null;
  const { sentence, next, missing } = failure;
  const code = failure.code === "secret_unreadable" ? "secret_unreadable" : "missing_required_key";
  return new DomainError(code, sentence, {
    next,
    ...(missing === undefined ? {} : { details: { missing: [...missing] } }),
  });
}

async function recordSkippedClick(
  tx: Transaction,
  { workspaceId, actor }: RestartRequest,
  sentence: string,
): Promise<void> {
  await recordRequests(tx, [{ workspaceId, actor, source: "click", outcome: "skipped", sentence }]);
}

async function answerOf(tx: Transaction, id: string, key: string): Promise<RestartAnswer | null> {
  const [row] = await ormOf(tx)
    .select({ answer: activity.responseBody })
    .from(activity)
    .where(and(eq(activity.workspaceId, id), eq(activity.idempotencyKey, key)));
  return row === undefined ? null : (row.answer as RestartAnswer);
}
