import { and, eq, sql } from "drizzle-orm";
import { a2aQueue } from "../schema/content.ts";

/** The process that delivers an item, and how long it may be silent before another takes over. */
export interface DeliveryLease {
  readonly owner: string;
  readonly leaseMs: number;
}

/** An item and the process that holds it. */
export interface HeldItem {
  readonly id: string;
  readonly owner: string;
}

/** Columns of an item that waits. Inside `packages/db` only, like the rest of this file. */
export const waiting = {
  status: "queued" as const,
  dispatchedAt: null,
  leaseOwner: null,
  leaseUntil: null,
  nextActionAt: sql`cp_now()`,
};

/** Columns of an item that a process is sending. */
export function leased(lease: DeliveryLease) {
  const until = sql`cp_now() + make_interval(secs => ${lease.leaseMs / 1000})`;
  return {
    status: "dispatched" as const,
    dispatchedAt: sql`cp_now()`,
    leaseOwner: lease.owner,
    leaseUntil: until,
    // Due again when the lease runs out, so that a dead owner's item is found by the same query.
    nextActionAt: until,
  };
}

/** The item, while the process holds it. */
export function owned(item: HeldItem) {
  return and(
    eq(a2aQueue.id, item.id),
    eq(a2aQueue.status, "dispatched"),
    eq(a2aQueue.leaseOwner, item.owner),
  );
}
