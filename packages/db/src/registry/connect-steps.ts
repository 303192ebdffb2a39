import type { Health } from "@molecule/domain/sets";
import { and, eq, isNull, ne, sql } from "drizzle-orm";
import { type Database, ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { liveness, workspaces } from "../schema/workspaces.ts";

/** Tells that an external agent has come a step further; the event carries its node. SPEC: E2. */
export async function tellConnectStep(tx: Transaction, workspaceId: string): Promise<void> {
  await appendEvent(tx, {
    event: "WORKSPACE_UPDATED",
    subjectId: workspaceId,
    payload: { changed: ["connection"] },
  });
}

/**
 * Notes that an external agent has said something, the first time it does. Everybody else's messages,
 * and all later ones, cost one look. In no transaction of a message: a beat holds the same row.
 * An agent that has neither registered nor beaten is not known yet, and the next message counts.
 */
export async function noteFirstMessage(db: Database, workspaceId: string): Promise<void> {
  const isMissing = and(eq(liveness.workspaceId, workspaceId), isNull(liveness.firstMessageAt));
  const rows = await ormOf(db)
    .select({ id: workspaces.id })
    .from(liveness)
    .innerJoin(workspaces, eq(workspaces.id, liveness.workspaceId))
    .where(and(isMissing, eq(workspaces.backend, "external")));
  if (rows.length === 0) return;
  await db.transaction(async (tx) => {
    const noted = await ormOf(tx)
      .update(liveness)
      .set({ firstMessageAt: sql`cp_now()` })
      .where(isMissing)
      .returning({ id: liveness.workspaceId });
    if (noted.length > 0) await tellConnectStep(tx, workspaceId);
  });
}

/**
 * The tokens were replaced: the agent has to register and to beat again, and until then it is not there,
 * whenever it last beat. SPEC: E4, ST4.
 */
export async function forgetConnection(tx: Transaction, workspaceId: string): Promise<void> {
  const orm = ormOf(tx);
  const known = await orm
    .update(liveness)
    .set({ registeredAt: null, firstBeatAt: null })
    .where(eq(liveness.workspaceId, workspaceId))
    .returning({ id: liveness.workspaceId });
  if (known.length > 0) await tellSilence(tx, workspaceId);
  await tellConnectStep(tx, workspaceId);
}

/** Not again for one that has been told to be silent. */
async function tellSilence(tx: Transaction, workspaceId: string): Promise<void> {
  const silent: Health = "suspected_down";
  const [row] = await ormOf(tx)
    .update(workspaces)
    .set({ health: silent })
    .where(
      and(
        eq(workspaces.id, workspaceId),
        eq(workspaces.intent, "run"),
        ne(workspaces.health, silent),
      ),
    )
    .returning({ name: workspaces.name });
  if (row === undefined) return;
  const payload = { name: row.name, external: true };
  await appendEvent(tx, { event: "WORKSPACE_AWAITING_AGENT", subjectId: workspaceId, payload });
}
