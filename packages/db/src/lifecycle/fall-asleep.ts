import { PLATFORM_ACTOR } from "@molecule/domain/sets";
import { explainSleep } from "@molecule/domain/sleep";
import { eq, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { workspaces } from "../schema/workspaces.ts";
import type { HeldWorkspace } from "./held-workspace.ts";
import { idleFacts } from "./idle-facts.ts";
import { recordLifecycle } from "./record-lifecycle.ts";

/**
 * Puts an idle workspace to sleep. Waits for no message that is just being accepted: the row lock is
 * asked for without waiting, and the work is looked at again under it. @throws a lock conflict, after
 * which the decision is made anew.
 */
export async function fallAsleep(
  tx: Transaction,
  { row, now }: HeldWorkspace,
  minutes: number,
): Promise<void> {
  const orm = ormOf(tx);
  await orm
    .select({ id: workspaces.id })
    .from(workspaces)
    .where(eq(workspaces.id, row.id))
    .for("update", { noWait: true });
  const idle = await idleFacts(tx, row);
  const isIdle = idle !== null && !idle.isBusy;
  if (!isIdle || now.getTime() - idle.since.getTime() < minutes * 60_000) return;
  await orm
    .update(workspaces)
    .set({
      intent: "hibernated",
      intentActorName: PLATFORM_ACTOR.name,
      intentAt: sql`cp_now()`,
      nextActionAt: sql`cp_now()`,
    })
    .where(eq(workspaces.id, row.id));
  await recordLifecycle(tx, {
    workspaceId: row.id,
    actor: PLATFORM_ACTOR,
    sentence: explainSleep(minutes),
  });
  await appendEvent(tx, {
    event: "WORKSPACE_UPDATED",
    subjectId: row.id,
    payload: { name: row.name, idle_minutes: minutes },
  });
}
