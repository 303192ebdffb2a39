import type { AttemptView } from "@molecule/contracts/workspaces";
import { and, desc, eq, lt } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { attemptColumns, viewAttempt } from "../nodes/view-attempt.ts";
import { attempts } from "../schema/workspaces.ts";

/** Attempts of a workspace, newest first, below `before` when it is given. */
export async function listAttempts(
  q: Queryable,
  workspaceId: string,
  page: { readonly before?: number | undefined; readonly limit: number },
): Promise<AttemptView[]> {
  const rows = await ormOf(q)
    .select(attemptColumns)
    .from(attempts)
    .where(
      and(
        eq(attempts.workspaceId, workspaceId),
        page.before === undefined ? undefined : lt(attempts.no, page.before),
      ),
    )
    .orderBy(desc(attempts.no))
    .limit(page.limit);
  return rows.map(viewAttempt);
}
