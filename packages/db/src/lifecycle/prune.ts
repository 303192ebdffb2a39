import { sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { foldTallies } from "../ledger/tallies.ts";

/**
 * Forgets what nobody reads any more: attempts (never the latest that came up), their requests and ended
 * jobs over the fleet after 90 days, observations after 7, generations and the ledger of writes but for the last 100, tombstones after
 * 30 days. Source: architecture 5, lifecycle A3.
 */
export async function pruneLifecycle(q: Queryable): Promise<void> {
  const orm = ormOf(q);
  await orm.execute(sql`DELETE FROM fleet_jobs WHERE ended_at < cp_now() - interval '90 days'`);
  await orm.execute(sql`DELETE FROM observations WHERE at < cp_now() - interval '7 days'`);
  await orm.execute(sql`
    DELETE FROM attempts a USING workspaces w WHERE w.id = a.workspace_id
      AND a.no < w.current_attempt AND a.created_at < cp_now() - interval '90 days'
      AND a.no IS DISTINCT FROM (SELECT max(r.no) FROM attempts r
        WHERE r.workspace_id = a.workspace_id AND r.outcome = 'ready')`);
  await orm.execute(
    sql`DELETE FROM restart_requests WHERE last_at < cp_now() - interval '90 days'`,
  );
  await foldTallies(q);
  await pruneGenerations(q);
  await orm.execute(sql`
    DELETE FROM changes c USING workspaces w WHERE w.id = c.workspace_id
      AND c.gen < LEAST(w.desired_gen - 100, w.applied_gen)`);
  await orm.execute(sql`
    DELETE FROM workspaces WHERE phase = 'DELETED' AND removed_at < cp_now() - interval '30 days'`);
}

/** Never the generation that runs; and with a generation what only it and earlier ones had. SPEC: CF4. */
async function pruneGenerations(q: Queryable): Promise<void> {
  const orm = ormOf(q);
  await orm.execute(sql`
    DELETE FROM generations g USING workspaces w WHERE w.id = g.workspace_id
      AND g.gen <= w.desired_gen - 100 AND g.gen <> w.applied_gen`);
  await orm.execute(sql`
    DELETE FROM managed_file_versions v WHERE v.until_gen < (
      SELECT min(g.gen) FROM generations g WHERE g.workspace_id = v.workspace_id)`);
  await orm.execute(sql`
    DELETE FROM workspace_secret_versions v
    WHERE NOT EXISTS (
        SELECT 1 FROM workspace_secrets s WHERE s.workspace_id = v.workspace_id AND s.key = v.key)
      AND NOT EXISTS (
        SELECT 1 FROM generations g WHERE g.workspace_id = v.workspace_id
          AND g.secrets @> jsonb_build_array(jsonb_build_object(
            'key', v.key, 'scope', 'workspace', 'version', v.version)))`);
  // Of a removed one the number of its last value is all that is needed, and that for a while.
  await orm.execute(sql`
    DELETE FROM global_secret_versions v WHERE v.created_at < cp_now() - interval '90 days'
      AND NOT EXISTS (SELECT 1 FROM global_secrets s WHERE s.key = v.key)`);
}
