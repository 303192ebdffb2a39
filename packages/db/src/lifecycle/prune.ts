import { sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { foldTallies } from "../ledger/tallies.ts";

/**
 * Forgets what nobody reads any more: attempts, their requests and ended jobs over the fleet after 90
 * days, observations after 7, the ledger of writes but for the last 100 generations, tombstones after 30
 * days. Source: architecture 5, lifecycle A3.
 */
export async function pruneLifecycle(q: Queryable): Promise<void> {
  const orm = ormOf(q);
  await orm.execute(sql`DELETE FROM fleet_jobs WHERE ended_at < cp_now() - interval '90 days'`);
  await orm.execute(sql`DELETE FROM observations WHERE at < cp_now() - interval '7 days'`);
  await orm.execute(sql`
    DELETE FROM attempts a USING workspaces w WHERE w.id = a.workspace_id
      AND a.no < w.current_attempt AND a.created_at < cp_now() - interval '90 days'`);
  await orm.execute(
    sql`DELETE FROM restart_requests WHERE last_at < cp_now() - interval '90 days'`,
  );
  await foldTallies(q);
  await orm.execute(sql`
    DELETE FROM changes c USING workspaces w WHERE w.id = c.workspace_id
      AND c.gen < LEAST(w.desired_gen - 100, w.applied_gen)`);
  await orm.execute(sql`
    DELETE FROM workspaces WHERE phase = 'DELETED' AND removed_at < cp_now() - interval '30 days'`);
}
