import { and, asc, eq, inArray, isNull, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { a2aQueue } from "../schema/content.ts";
import { isMessage } from "./a2a-queue.ts";
import { endDelivery } from "./end-delivery.ts";

/** Which messages are given up. */
export interface StaleQuery {
  /** They have waited for longer than this many minutes. */
  readonly olderThanMinutes: number;
  /** Absent: of every workspace. */
  readonly workspaceId?: string | undefined;
  readonly actorName: string;
}

/** Messages ended in one call. */
const MAX_DROPPED = 1000;

/**
 * Ends messages that have waited too long and of which nothing was sent, as `dropped`; their senders see
 * the reason, as for every other end. Resolves with how many. Source: contract §6.7.
 */
export async function dropStale(tx: Transaction, query: StaleQuery): Promise<number> {
  const orm = ormOf(tx);
  const { olderThanMinutes, workspaceId, actorName } = query;
  const stale = await orm
    .select({ id: a2aQueue.id, callerId: a2aQueue.callerId })
    .from(a2aQueue)
    .where(
      and(
        // Also one that a server holds just to see whether its target is ready.
        inArray(a2aQueue.status, ["queued", "dispatched"]),
        isNull(a2aQueue.dispatchedAt),
        isMessage,
        sql`${a2aQueue.enqueuedAt} < cp_now() - make_interval(mins => ${olderThanMinutes})`,
        workspaceId === undefined ? undefined : eq(a2aQueue.workspaceId, workspaceId),
      ),
    )
    .orderBy(asc(a2aQueue.enqueuedAt))
    .limit(MAX_DROPPED)
    .for("update");
  for (const { id, callerId } of stale) {
    const end = {
      status: "error",
      responseBody: null,
      toolTrace: null,
      errorDetail: `Dropped by ${actorName} after it had waited for more than ${olderThanMinutes} minutes.`,
      durationMs: null,
      wasNeverSent: true,
      isForPerson: callerId === null,
    } as const;
    await endDelivery(tx, { id, owner: null, onlyUnsent: true }, end);
    await orm.update(a2aQueue).set({ status: "dropped" }).where(eq(a2aQueue.id, id));
  }
  return stale.length;
}
