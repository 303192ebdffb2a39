import { eq, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { a2aQueue, activity } from "../schema/content.ts";
import { storableJson } from "../storable.ts";
import { type HeldItem, owned } from "./delivery-lease.ts";

/**
 * The message as it is about to be sent, where its files have other names at the receiver than while it
 * waited; false when the item is no longer this process's. Told by whoever marks it as being sent.
 */
export async function rewriteMessage(
  tx: Transaction,
  item: HeldItem,
  envelope: unknown,
): Promise<boolean> {
  const orm = ormOf(tx);
  const rows = await orm
    .update(a2aQueue)
    .set({ body: storableJson(envelope) })
    .where(owned(item))
    .returning({ id: a2aQueue.id });
  if (rows.length === 0) return false;
  await orm
    .update(activity)
    .set({ requestBody: storableJson(envelope), updatedAt: sql`cp_now()` })
    .where(eq(activity.id, item.id));
  return true;
}
