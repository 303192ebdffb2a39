import { DomainError } from "@molecule/domain/errors";
import { sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";

/** @throws DomainError `conflict` naming the nearest ancestor that is paused. */
export async function refuseUnderPausedAncestor(tx: Transaction, id: string): Promise<void> {
  const [paused] = await ormOf(tx).execute<{ name: string }>(sql`
    WITH RECURSIVE up(id, parent_id, name, intent, depth) AS (
      SELECT p.id, p.parent_id, p.name, p.intent, 1
        FROM workspaces w JOIN workspaces p ON p.id = w.parent_id WHERE w.id = ${id}
      UNION ALL
      SELECT p.id, p.parent_id, p.name, p.intent, up.depth + 1
        FROM up JOIN workspaces p ON p.id = up.parent_id WHERE up.depth < 32
    )
    SELECT name FROM up WHERE intent = 'paused' ORDER BY depth LIMIT 1`);
  if (paused === undefined) return;
  throw new DomainError("conflict", `"${paused.name}" above this workspace is paused.`, {
    next: `Resume "${paused.name}" first.`,
    details: { paused_ancestor: paused.name },
  });
}

/** The ids of a workspace and everything below it that is not removed, ordered, each row locked. */
export async function lockSubtree(tx: Transaction, id: string): Promise<readonly string[]> {
  const rows = await ormOf(tx).execute<{ id: string }>(sql`
    WITH RECURSIVE down(id, depth) AS (
      SELECT id, 0 FROM workspaces WHERE id = ${id}
      UNION ALL
      SELECT w.id, down.depth + 1 FROM workspaces w JOIN down ON w.parent_id = down.id
        WHERE w.intent <> 'deleted' AND down.depth < 32
    )
    SELECT id FROM workspaces WHERE id IN (SELECT id FROM down) ORDER BY id FOR NO KEY UPDATE`);
  return rows.map((row) => row.id);
}
