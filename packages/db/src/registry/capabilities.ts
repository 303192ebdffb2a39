import { eq } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { liveness } from "../schema/workspaces.ts";

/** What the agent's runtime says it can do; nothing before its first beat. Source: contract §5.4. */
export async function readCapabilities(
  q: Queryable,
  workspaceId: string,
): Promise<Readonly<Record<string, boolean>>> {
  const [row] = await ormOf(q)
    .select({ capabilities: liveness.capabilities })
    .from(liveness)
    .where(eq(liveness.workspaceId, workspaceId));
  return row?.capabilities ?? {};
}
