import type { Placed } from "@molecule/domain/access";
import { sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";

/**
 * The workspace, everybody above it, its children and its parent's, removed ones left out; empty when it
 * is unknown or removed itself.
 */
export async function loadFamily(q: Queryable, workspaceId: string): Promise<Placed[]> {
  const rows = await ormOf(q).execute<{ id: string; parent_id: string | null }>(sql`
    WITH RECURSIVE up AS (
      SELECT id, parent_id, 0 AS depth FROM workspaces
        WHERE id = ${workspaceId}::uuid AND intent <> 'deleted'
      UNION
      SELECT w.id, w.parent_id, up.depth + 1 FROM workspaces w JOIN up ON w.id = up.parent_id
        WHERE up.depth < 40 AND w.intent <> 'deleted')
    SELECT id, parent_id FROM up
    UNION
    SELECT w.id, w.parent_id FROM workspaces w JOIN up ON up.depth = 0
      AND (w.parent_id = up.id OR w.parent_id = up.parent_id) WHERE w.intent <> 'deleted'`);
  return rows.map((row) => ({ id: row.id, parentId: row.parent_id }));
}
