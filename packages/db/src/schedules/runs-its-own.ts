import { eq } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { liveness } from "../schema/workspaces.ts";

/** Has the agent said that it runs schedules itself? Source: wire contract §13, capability `scheduler`. */
export async function runsItsOwn(q: Queryable, workspaceId: string): Promise<boolean> {
  const [beat] = await ormOf(q)
    .select({ capabilities: liveness.capabilities })
    .from(liveness)
    .where(eq(liveness.workspaceId, workspaceId));
  return beat?.capabilities.scheduler === true;
}
