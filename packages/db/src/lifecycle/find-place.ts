import type { PublicFailure } from "@molecule/domain/errors";
import type { Backend, Intent, Phase } from "@molecule/domain/sets";
import { eq } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { workspaces } from "../schema/workspaces.ts";

/** Where a workspace runs and whether its live folders can be reached. */
export interface WorkspacePlace {
  readonly backend: Backend;
  readonly phase: Phase;
  readonly intent: Intent;
  readonly attemptNo: number;
  /** What its card says went wrong; null while nothing did. */
  readonly failure: PublicFailure | null;
}

/** The place of a workspace; null when there is no such workspace. */
export async function findPlace(q: Queryable, id: string): Promise<WorkspacePlace | null> {
  const [row] = await ormOf(q)
    .select({
      backend: workspaces.backend,
      phase: workspaces.phase,
      intent: workspaces.intent,
      attemptNo: workspaces.currentAttempt,
      failure: workspaces.failure,
    })
    .from(workspaces)
    .where(eq(workspaces.id, id));
  return row ?? null;
}
