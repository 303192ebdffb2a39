import type { PublicFailure } from "@molecule/domain/errors";
import { PLATFORM_ACTOR } from "@molecule/domain/sets";
import { eq } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { workspaces } from "../schema/workspaces.ts";
import { type HeldWorkspace, releaseWorkspace } from "./held-workspace.ts";
import { recordLifecycle } from "./record-lifecycle.ts";

/** How often what runs on is looked at again, in ms. A written key is told, and waits for nothing. */
const LOOK_AGAIN_MS = 60_000;

/**
 * Begins no attempt, because a key is lacking: the workspace fails with its name, or runs on as it is and
 * shows it. A click is answered by that; what is written later starts it. The same again is not told
 * anew unless somebody clicked. The workspace is given back. SPEC: R30, R31.
 */
export async function refuseStart(
  tx: Transaction,
  held: HeldWorkspace,
  { failure, runsOn }: { readonly failure: PublicFailure; readonly runsOn: boolean },
): Promise<void> {
  const { row } = held;
  const answered = Math.max(held.attempt?.snapForce ?? 0, row.appliedForce);
  const isClicked = row.forceSeq > answered;
  const isKnown =
    JSON.stringify(row.failure) === JSON.stringify(failure) && (runsOn || row.phase === "FAILED");
  await ormOf(tx)
    .update(workspaces)
    .set({
      failure,
      appliedForce: Math.max(row.appliedForce, row.forceSeq),
      ...(runsOn
        ? {}
        : { phase: "FAILED" as const, deadlineAt: null, firstDirtyAt: null, lastDirtyAt: null }),
    })
    .where(eq(workspaces.id, row.id));
  await releaseWorkspace(tx, held, runsOn ? new Date(held.now.getTime() + LOOK_AGAIN_MS) : null);
  if (isKnown && !isClicked) return;
  await recordLifecycle(tx, {
    workspaceId: row.id,
    actor: PLATFORM_ACTOR,
    sentence: `${runsOn ? "Not restarted" : "Not started"}: ${failure.sentence}`,
    status: "error",
  });
  await appendEvent(
    tx,
    runsOn
      ? { event: "WORKSPACE_UPDATED", subjectId: row.id, payload: { changed: ["failure"] } }
      : {
          event: "WORKSPACE_PROVISION_FAILED",
          subjectId: row.id,
          payload: {
            error: failure.sentence,
            code: failure.code,
            runtime: row.runtime,
            attempt: row.currentAttempt,
            will_retry: false,
            ...(failure.missing === undefined ? {} : { missing: [...failure.missing] }),
          },
        },
  );
}
