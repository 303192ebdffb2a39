import type { Stage } from "@molecule/domain/sets";
import { and, eq } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { attempts } from "../schema/workspaces.ts";
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
  await appendEvent(tx, {
    event: "WORKSPACE_STAGE",
    subjectId: held.row.id,
    payload: { attempt: held.attempt.no, stage },
  });
}

/** Gives a preparing attempt a line for a person ("Downloading the agent, 40 %"); not stored. */
export async function tellProgress(
  tx: Transaction,
  held: HeldWorkspace,
  line: string,
): Promise<void> {
  await appendEvent(tx, {
    event: "WORKSPACE_STAGE",
    subjectId: held.row.id,
    payload: {
      attempt: held.row.currentAttempt,
      stage: held.attempt?.stage ?? "preparing",
      progress: line.slice(0, 300),
    },
  });
}
