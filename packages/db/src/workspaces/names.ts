import { inArray } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { workspaces } from "../schema/workspaces.ts";

/** Names by id, of removed workspaces too; an id that is unknown is not in it. */
export async function readNames(
  q: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await ormOf(q)
    .select({ id: workspaces.id, name: workspaces.name })
    .from(workspaces)
    .where(inArray(workspaces.id, [...ids]));
  return new Map(rows.map(({ id, name }) => [id, name]));
}
