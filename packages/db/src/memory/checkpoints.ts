import { MAX_CHECKPOINTS } from "@molecule/domain/memory";
import { and, desc, eq, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { checkpoints } from "../schema/memory.ts";
import { storableText } from "../storable.ts";

/** A checkpoint as stored; `body` is JSON text. */
export type CheckpointRow = typeof checkpoints.$inferSelect;

/** Where an agent has got to in its work. */
export interface NewCheckpoint {
  readonly workspaceId: string;
  /** Empty: of no named workflow. */
  readonly workflowId: string;
  /** JSON text without secrets. */
  readonly body: string;
}

/** Keeps it for a workspace that its caller has locked; beyond the newest the oldest go. SPEC: ME11. */
export async function insertCheckpoint(
  tx: Transaction,
  checkpoint: NewCheckpoint,
): Promise<CheckpointRow> {
  const orm = ormOf(tx);
  const { workspaceId } = checkpoint;
  const [row] = await orm
    .insert(checkpoints)
    .values({ ...checkpoint, workflowId: storableText(checkpoint.workflowId) })
    .returning();
  if (row === undefined) throw new Error("invariant: an insert returns its row");
  await orm.execute(sql`
    DELETE FROM checkpoints WHERE workspace_id = ${workspaceId} AND seq <= (
      SELECT seq FROM checkpoints WHERE workspace_id = ${workspaceId}
      ORDER BY seq DESC OFFSET ${MAX_CHECKPOINTS} LIMIT 1)`);
  return row;
}

/** The newest of the workspace, or of one of its workflows; null when there is none. */
export async function findLatestCheckpoint(
  q: Queryable,
  which: { readonly workspaceId: string; readonly workflowId: string | null },
): Promise<CheckpointRow | null> {
  const { workspaceId, workflowId } = which;
  const [row] = await ormOf(q)
    .select()
    .from(checkpoints)
    .where(
      and(
        eq(checkpoints.workspaceId, workspaceId),
        workflowId === null ? undefined : eq(checkpoints.workflowId, storableText(workflowId)),
      ),
    )
    .orderBy(desc(checkpoints.seq))
    .limit(1);
  return row ?? null;
}
