import { and, eq, inArray, isNotNull, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { managedFiles } from "../schema/content.ts";
import { attempts, workspaces } from "../schema/workspaces.ts";
import { advanceStage } from "./advance-stage.ts";
import type { HeldWorkspace } from "./held-workspace.ts";
import { recordMachine } from "./machines.ts";
import type { AttemptContent } from "./take-snapshot.ts";

/** What a backend made for an attempt. */
export interface CreatedInstance {
  readonly providerId: string;
  /** host:port that the platform dials; null when the backend does not know it. */
  readonly address: string | null;
}

/**
 * Records the created instance: phase BOOTING with its deadline, the machine, and the projected hash
 * as the only version of ours that the instance holds. A file that was written since keeps its newer content.
 */
export async function recordCreated(
  tx: Transaction,
  held: HeldWorkspace,
  created: CreatedInstance & {
    readonly content: AttemptContent;
    /**
     * The content is the snapshot that this lease took, so the instance holds exactly it. A worker that
     * took over may have adopted an instance with older content than it read.
     */
    readonly isExact: boolean;
  },
  options: { readonly bootTimeoutMs: number },
): Promise<void> {
  const orm = ormOf(tx);
  const { row } = held;
  await recordMachine(tx, held, created.providerId);
  await orm
    .update(attempts)
    .set({ providerRef: created.providerId, providerAddr: created.address })
    .where(and(eq(attempts.workspaceId, row.id), eq(attempts.no, row.currentAttempt)));
  await orm
    .update(workspaces)
    .set({
      phase: "BOOTING",
      deadlineAt: sql`cp_now() + ${options.bootTimeoutMs} * interval '1 millisecond'`,
      nextActionAt: sql`cp_now()`,
    })
    .where(eq(workspaces.id, row.id));
  // An agent that registered before this was recorded has put the attempt further already.
  if (held.attempt?.stage !== "first_heartbeat") await advanceStage(tx, held, "booting");
  if (created.isExact) await rememberProjection(tx, row.id, created.content);
}

async function rememberProjection(
  tx: Transaction,
  workspaceId: string,
  content: AttemptContent,
): Promise<void> {
  const orm = ormOf(tx);
  for (const file of content.files) {
    if (file.managedSha256 === null) continue;
    await orm
      .update(managedFiles)
      .set({ projectedSha256: [file.managedSha256] })
      .where(and(eq(managedFiles.workspaceId, workspaceId), eq(managedFiles.path, file.path)));
  }
  if (content.removedFiles.length === 0) return;
  await orm
    .delete(managedFiles)
    .where(
      and(
        eq(managedFiles.workspaceId, workspaceId),
        inArray(managedFiles.path, [...content.removedFiles]),
        isNotNull(managedFiles.deletedAt),
      ),
    );
}
