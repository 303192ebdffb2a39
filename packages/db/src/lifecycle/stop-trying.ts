import type { Actor } from "@molecule/domain/sets";
import { type StopOfTries, stopOfTries } from "@molecule/domain/stop-tries";
import { and, eq } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { attempts, workspaces } from "../schema/workspaces.ts";
import { lockWorkspace } from "./lock-workspace.ts";
import { recordLifecycle } from "./record-lifecycle.ts";

/** What a person does next who has stopped the tries. */
const NEXT = "Restart it when you are ready; the next saved change starts it too.";

/**
 * Ends the tries of an agent that waits for its next one: BACKOFF becomes FAILED without a timer, and
 * what is pending waits for a click or a later write. Anything else is left as it is and said.
 * SPEC: L1, L2.
 * @throws DomainError `not_found`, `removed`.
 */
export async function stopTrying(
  tx: Transaction,
  request: { readonly workspaceId: string; readonly actor: Actor },
): Promise<StopOfTries> {
  const orm = ormOf(tx);
  const { row } = await lockWorkspace(tx, request.workspaceId);
  const [attempt] = await orm
    .select({ snapForce: attempts.snapForce })
    .from(attempts)
    .where(and(eq(attempts.workspaceId, row.id), eq(attempts.no, row.currentAttempt)));
  const isClicked = row.forceSeq > Math.max(attempt?.snapForce ?? 0, row.appliedForce);
  const answer = stopOfTries({ intent: row.intent, phase: row.phase, isClicked });
  if (answer.kind !== "stop") return answer;
  await orm
    .update(workspaces)
    .set({
      phase: "FAILED",
      failure: row.failure === null ? null : { ...row.failure, next: NEXT },
      nextActionAt: null,
      firstDirtyAt: null,
      lastDirtyAt: null,
    })
    .where(eq(workspaces.id, row.id));
  await recordLifecycle(tx, {
    workspaceId: row.id,
    actor: request.actor,
    sentence: `${request.actor.name} stopped the tries; no further one by itself`,
  });
  await appendEvent(tx, {
    event: "WORKSPACE_PROVISION_FAILED",
    subjectId: row.id,
    payload: {
      error: row.failure?.sentence ?? "Nobody tries any more.",
      ...(row.failure === null ? {} : { code: row.failure.code }),
      runtime: row.runtime,
      attempt: row.currentAttempt,
      source: "stop_trying",
    },
  });
  return answer;
}
