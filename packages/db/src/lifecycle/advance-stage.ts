import type { Stage } from "@molecule/domain/sets";
import { and, eq, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { attempts, workspaces } from "../schema/workspaces.ts";
import type { HeldWorkspace } from "./held-workspace.ts";
import { stageMarked } from "./stage-mark.ts";

/** Puts the current attempt into `stage` and tells the canvas; entering it twice is once. */
export async function advanceStage(
  tx: Transaction,
  held: HeldWorkspace,
  stage: Stage,
): Promise<void> {
  if (held.attempt === null || held.attempt.stage === stage) return;
  await ormOf(tx)
    .update(attempts)
    .set(stageMarked(stage))
    .where(and(eq(attempts.workspaceId, held.row.id), eq(attempts.no, held.attempt.no)));
  // What held the previous stage up has passed.
  if (held.row.failure !== null) {
    await ormOf(tx).update(workspaces).set({ failure: null }).where(eq(workspaces.id, held.row.id));
  }
  await appendEvent(tx, {
    event: "WORKSPACE_STAGE",
    subjectId: held.row.id,
    payload: { attempt: held.attempt.no, stage },
  });
}

const MAX_PROGRESS_CHARS = 300;

/**
 * Gives an open attempt a line for a person ("Installing the agent: 40 packages fetched"). The stage
 * keeps the latest one, so that a page that is opened now shows it too.
 */
export async function tellProgress(
  tx: Transaction,
  held: HeldWorkspace,
  line: string,
): Promise<void> {
  const { attempt } = held;
  if (attempt === null || attempt.outcome !== null) return;
  const progress = line.slice(0, MAX_PROGRESS_CHARS);
  await ormOf(tx)
    .update(attempts)
    .set({
      stages: sql`jsonb_set(${attempts.stages}, '{-1,progress}', to_jsonb(${progress}::text))`,
    })
    .where(and(eq(attempts.workspaceId, held.row.id), eq(attempts.no, attempt.no)));
  await appendEvent(tx, {
    event: "WORKSPACE_STAGE",
    subjectId: held.row.id,
    payload: { attempt: attempt.no, stage: attempt.stage ?? "preparing", progress },
  });
}
