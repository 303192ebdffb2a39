import { sql } from "drizzle-orm";
import { ormOf, type Queryable } from "./database.ts";

/** Tables whose rows are due work: each has `next_action_at`, a lease and a fence. */
export type DueTable = "workspaces" | "a2a_queue" | "fleet_jobs" | "watched_images";

/** A leased row. The epoch is the fence: a write that names an older one touches nothing. */
export interface Claim {
  readonly table: DueTable;
  readonly id: string;
  readonly epoch: number;
  readonly owner: string;
}

/** Who claims, how much and for how long. */
export interface ClaimOptions {
  /** Id of the claiming process. */
  readonly owner: string;
  readonly leaseMs: number;
  readonly limit: number;
}

const NAMES = {
  workspaces: sql`workspaces`,
  a2a_queue: sql`a2a_queue`,
  fleet_jobs: sql`fleet_jobs`,
  watched_images: sql`watched_images`,
};

/**
 * Leases due rows that nobody holds, oldest first, each with a new epoch. Rows that somebody has
 * locked are skipped, so claimers never wait for one another; rows that merely refer to them do not count
 * as locks. Empty when nothing is due.
 */
export async function claimDue(
  q: Queryable,
  table: DueTable,
  options: ClaimOptions,
): Promise<readonly Claim[]> {
  const name = NAMES[table];
  const rows = await ormOf(q).execute<{ id: string; epoch: string }>(sql`
    WITH due AS MATERIALIZED (
      SELECT id FROM ${name}
      WHERE next_action_at <= (SELECT cp_now())
        AND (lease_until IS NULL OR lease_until < (SELECT cp_now()))
      ORDER BY next_action_at LIMIT ${options.limit} FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE ${name} t SET lease_owner = ${options.owner}, lease_epoch = t.lease_epoch + 1,
      lease_until = cp_now() + ${options.leaseMs} * interval '1 millisecond'
    FROM due WHERE t.id = due.id
    RETURNING t.id, t.lease_epoch AS epoch`);
  return rows.map((row) => ({
    table,
    id: row.id,
    epoch: Number(row.epoch),
    owner: options.owner,
  }));
}

/** Prolongs a lease; false when it is no longer ours and the work has to stop. */
export async function renewLease(q: Queryable, claim: Claim, leaseMs: number): Promise<boolean> {
  const rows = await ormOf(q).execute(sql`
    UPDATE ${NAMES[claim.table]} SET lease_until = cp_now() + ${leaseMs} * interval '1 millisecond'
    WHERE id = ${claim.id} AND lease_epoch = ${claim.epoch} AND lease_owner = ${claim.owner}
    RETURNING id`);
  return rows.length > 0;
}

/**
 * Gives a row back without touching its timer; for a claimer that has not done its work, so that the
 * next one finds it at once. Does nothing when the lease is no longer ours.
 */
export async function releaseClaim(q: Queryable, claim: Claim): Promise<void> {
  await ormOf(q).execute(sql`
    UPDATE ${NAMES[claim.table]} SET lease_owner = NULL, lease_until = NULL
    WHERE id = ${claim.id} AND lease_epoch = ${claim.epoch} AND lease_owner = ${claim.owner}`);
}
