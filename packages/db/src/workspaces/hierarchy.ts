import { DomainError } from "@molecule/domain/errors";
import { and, asc, eq, ne, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { workspaces } from "../schema/workspaces.ts";

/** Deepest chain of parents. Source: wire contract §5.6. */
const MAX_DEPTH = 32;
/** Advisory lock under which parents change, so that two moves at once cannot make a ring. */
const HIERARCHY_LOCK = 706_062;

/**
 * Makes sure that `id` may stand below `parentId`; serialises with every other move.
 * @throws DomainError `bad_request`: unknown parent, a ring, or a chain that is too long.
 */
export async function checkParent(
  tx: Transaction,
  move: { readonly id: string; readonly parentId: string },
): Promise<void> {
  const orm = ormOf(tx);
  await orm.execute(sql`SELECT pg_advisory_xact_lock(${HIERARCHY_LOCK})`);
  const chain = await orm.execute<{ id: string }>(sql`
    WITH RECURSIVE up(id, parent_id, depth) AS (
      SELECT id, parent_id, 1 FROM workspaces
        WHERE id = ${move.parentId}::uuid AND intent <> 'deleted'
      UNION ALL
      SELECT p.id, p.parent_id, up.depth + 1 FROM up JOIN workspaces p ON p.id = up.parent_id
        WHERE up.depth <= ${MAX_DEPTH}
    )
    SELECT id FROM up`);
  if (chain.length === 0) {
    throw new DomainError("bad_request", "There is no such parent workspace.", {
      details: { field: "parent_id" },
    });
  }
  if (chain.some((row) => row.id === move.id)) {
    throw new DomainError("bad_request", "A workspace cannot stand below itself.", {
      details: { field: "parent_id" },
    });
  }
  if (chain.length >= MAX_DEPTH) {
    throw new DomainError("bad_request", `Teams can be nested ${MAX_DEPTH} deep at most.`, {
      details: { field: "parent_id" },
    });
  }
}

/** A workspace by name, for a confirmation. */
export interface NamedWorkspace {
  readonly id: string;
  readonly name: string;
}

/** The direct children that are not removed, by name. */
export async function listChildren(q: Queryable, id: string): Promise<NamedWorkspace[]> {
  return await ormOf(q)
    .select({ id: workspaces.id, name: workspaces.name })
    .from(workspaces)
    .where(and(eq(workspaces.parentId, id), ne(workspaces.intent, "deleted")))
    .orderBy(asc(workspaces.name), asc(workspaces.id));
}

/** Everything below a workspace that is not removed, nearest first; the workspace itself is not in it. */
export async function listDescendants(q: Queryable, id: string): Promise<NamedWorkspace[]> {
  return await ormOf(q).execute<{ id: string; name: string }>(sql`
    WITH RECURSIVE down(id, name, depth) AS (
      SELECT id, name, 1 FROM workspaces WHERE parent_id = ${id}::uuid AND intent <> 'deleted'
      UNION ALL
      SELECT w.id, w.name, down.depth + 1 FROM workspaces w JOIN down ON w.parent_id = down.id
        WHERE w.intent <> 'deleted' AND down.depth < ${MAX_DEPTH}
    )
    SELECT id, name FROM down ORDER BY depth, name, id`);
}

/** Where every workspace stands that is not removed. */
export async function listParents(q: Queryable): Promise<ReadonlyMap<string, string | null>> {
  const rows = await ormOf(q)
    .select({ id: workspaces.id, parentId: workspaces.parentId })
    .from(workspaces)
    .where(ne(workspaces.intent, "deleted"));
  return new Map(rows.map((row) => [row.id, row.parentId]));
}
