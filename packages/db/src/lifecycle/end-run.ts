import { PLATFORM_ACTOR } from "@molecule/domain/sets";
import { and, eq, isNull, lte, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { managedFiles, workspaceSecrets } from "../schema/content.ts";
import {
  generations,
  managedFileVersions,
  workspaceSecretVersions,
} from "../schema/generations.ts";
import { keptFiles } from "../schema/kept-files.ts";
import { approvals, checkpoints, instructions, memories, memoryKeys } from "../schema/memory.ts";
import { schedules } from "../schema/schedules.ts";
import {
  attempts,
  changes,
  liveness,
  observations,
  workspaces,
  workspaceTokens,
} from "../schema/workspaces.ts";
import type { HeldWorkspace } from "./held-workspace.ts";
import { recordLifecycle } from "./record-lifecycle.ts";

/** Nothing of the workspace runs any more, by intent. Does not ask whether it was resumed meanwhile. */
export async function recordPaused(tx: Transaction, held: HeldWorkspace): Promise<void> {
  await closeOpenAttempt(tx, held);
  const { row } = held;
  // The next start has a number and a token of its own.
  await ormOf(tx)
    .update(workspaceTokens)
    .set({ revokedAt: sql`cp_now()` })
    .where(
      and(
        eq(workspaceTokens.workspaceId, row.id),
        eq(workspaceTokens.kind, "attempt"),
        lte(workspaceTokens.attemptNo, row.currentAttempt),
        isNull(workspaceTokens.revokedAt),
      ),
    );
  await ormOf(tx)
    .update(workspaces)
    .set({
      phase: "PAUSED",
      deadlineAt: null,
      failure: null,
      health: "ok",
      nextActionAt: row.intent === "run" ? sql`cp_now()` : null,
    })
    .where(eq(workspaces.id, row.id));
  await appendEvent(tx, {
    event: row.intent === "hibernated" ? "WORKSPACE_HIBERNATED" : "WORKSPACE_PAUSED",
    subjectId: row.id,
    payload: { name: row.name, tier: row.tier },
  });
}

/** A deletion is under way; it is tried until it succeeds. `alertMs` bounds the silence about it. */
export async function recordDeleting(
  tx: Transaction,
  held: HeldWorkspace,
  alertMs: number,
): Promise<void> {
  if (held.row.phase === "DELETING") return;
  await closeOpenAttempt(tx, held);
  await ormOf(tx)
    .update(workspaces)
    .set({
      phase: "DELETING",
      deadlineAt: sql`cp_now() + ${alertMs} * interval '1 millisecond'`,
    })
    .where(eq(workspaces.id, held.row.id));
}

/**
 * The tombstone: secrets, files and payloads are gone, the id and the token hashes stay until the
 * purge, so that a late agent is told "removed" and nothing else.
 */
export async function recordDeleted(tx: Transaction, held: HeldWorkspace): Promise<void> {
  const orm = ormOf(tx);
  const { id } = held.row;
  await orm.delete(workspaceSecrets).where(eq(workspaceSecrets.workspaceId, id));
  await orm.delete(managedFiles).where(eq(managedFiles.workspaceId, id));
  await orm.delete(generations).where(eq(generations.workspaceId, id));
  await orm.delete(managedFileVersions).where(eq(managedFileVersions.workspaceId, id));
  await orm.delete(workspaceSecretVersions).where(eq(workspaceSecretVersions.workspaceId, id));
  await orm.delete(keptFiles).where(eq(keptFiles.workspaceId, id));
  await orm.delete(schedules).where(eq(schedules.workspaceId, id));
  await orm.delete(memories).where(eq(memories.workspaceId, id));
  await orm.delete(memoryKeys).where(eq(memoryKeys.workspaceId, id));
  await orm.delete(checkpoints).where(eq(checkpoints.workspaceId, id));
  await orm.delete(approvals).where(eq(approvals.workspaceId, id));
  await orm.delete(instructions).where(eq(instructions.workspaceId, id));
  await orm.delete(liveness).where(eq(liveness.workspaceId, id));
  await orm.delete(observations).where(eq(observations.workspaceId, id));
  await orm.delete(changes).where(eq(changes.workspaceId, id));
  await orm
    .update(attempts)
    .set({ snapConfig: null, logExcerpt: null })
    .where(eq(attempts.workspaceId, id));
  await orm
    .update(workspaces)
    .set({
      phase: "DELETED",
      deadlineAt: null,
      nextActionAt: null,
      failure: null,
      inboundSecret: null,
      agentCard: null,
    })
    .where(eq(workspaces.id, id));
  await recordLifecycle(tx, {
    workspaceId: id,
    actor: PLATFORM_ACTOR,
    sentence: "Everything of it has been stopped and removed",
  });
}

async function closeOpenAttempt(tx: Transaction, { row }: HeldWorkspace): Promise<void> {
  await ormOf(tx)
    .update(attempts)
    .set({ outcome: "aborted", endedAt: sql`cp_now()` })
    .where(and(eq(attempts.workspaceId, row.id), isNull(attempts.outcome)));
}
