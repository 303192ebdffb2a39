import { and, eq } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { attempts, workspaces } from "../schema/workspaces.ts";
import { type ContentOrRefusal, type ContentSources, readContent } from "./take-snapshot.ts";

/**
 * What the current attempt of a workspace runs with, as of now, for the machine that fetches it; null when
 * the attempt is no longer the current one or is meant to rest.
 */
export async function readBootContent(
  tx: Transaction,
  attempt: { readonly workspaceId: string; readonly attemptNo: number },
  sources: ContentSources,
): Promise<ContentOrRefusal | null> {
  const [found] = await ormOf(tx)
    .select({ row: workspaces, attempt: attempts })
    .from(workspaces)
    .innerJoin(
      attempts,
      and(eq(attempts.workspaceId, workspaces.id), eq(attempts.no, workspaces.currentAttempt)),
    )
    .where(
      and(
        eq(workspaces.id, attempt.workspaceId),
        eq(workspaces.currentAttempt, attempt.attemptNo),
        eq(workspaces.intent, "run"),
      ),
    )
    .for("share", { of: workspaces });
  return found === undefined ? null : await readContent(tx, found, sources);
}
