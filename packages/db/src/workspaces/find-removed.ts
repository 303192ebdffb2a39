import { and, eq } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { workspaces } from "../schema/workspaces.ts";

/** When the workspace was removed; null when it is not removed or not known. */
export async function findRemoved(
  q: Queryable,
  id: string,
): Promise<{ readonly removedAt: Date | null } | null> {
  const [row] = await ormOf(q)
    .select({ removedAt: workspaces.removedAt })
    .from(workspaces)
    .where(and(eq(workspaces.id, id), eq(workspaces.intent, "deleted")));
  return row ?? null;
}
