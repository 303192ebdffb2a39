import { STARTS_AT_ONCE } from "@molecule/domain/org-plan";
import { sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { appendEvent, hintWork } from "../events/append-event.ts";
import { TURN_LATEST } from "./turn-latest.ts";

/** Silence of whoever makes a team after which it counts as ended, in seconds. */
const MAKER_SILENT_SECONDS = 60;
/** Told of what was not made because its maker ended. */
const NOT_MADE =
  "The platform stopped before its turn came. Import the team again: what is there stays.";

/** Where agents of an import are that take one of its places to start. */
const inFlight = sql`w.intent = 'run' AND w.backend <> 'external' AND (
  w.phase IN ('STOPPING', 'CREATING', 'BOOTING')
  OR (n.released_at IS NOT NULL AND w.phase IN ('NEW', 'PAUSED')))`;
/** Those that wait for one. */
const waits = sql`w.intent = 'run' AND w.backend <> 'external' AND n.released_at IS NULL
  AND w.phase IN ('NEW', 'PAUSED')`;

/** Imports of which something is still to be made or started, oldest first. */
export async function findOpenImports(q: Queryable): Promise<string[]> {
  const rows = await ormOf(q).execute<{ id: string }>(
    sql`SELECT id FROM org_imports WHERE ended_at IS NULL ORDER BY created_at LIMIT 100`,
  );
  return rows.map(({ id }) => id);
}

/**
 * One look at an import: starts as many as may, gives up on a maker that nobody has heard of, and ends it
 * when nothing more starts. Any number of workers may; one at a time looks at an import. SPEC: OR7, OR8.
 */
export async function paceImport(tx: Transaction, importId: string): Promise<void> {
  const [held] = await ormOf(tx).execute<{ state: string; is_silent: boolean }>(sql`
    SELECT state, beat_at < cp_now() - ${MAKER_SILENT_SECONDS} * interval '1 second' AS is_silent
    FROM org_imports WHERE id = ${importId}::uuid AND ended_at IS NULL FOR UPDATE SKIP LOCKED`);
  if (held === undefined) return;
  const isBroken = held.state === "making" && held.is_silent;
  if (isBroken) await breakOff(tx, importId);
  const released = await releaseNext(tx, importId);
  const isEnded = (held.state !== "making" || isBroken) && (await endIfStarted(tx, importId));
  if (isBroken || isEnded || released > 0) await tellImport(tx, importId);
}

async function breakOff(tx: Transaction, importId: string): Promise<void> {
  const orm = ormOf(tx);
  await orm.execute(sql`UPDATE org_imports SET state = 'starting', broken_off_at = cp_now()
    WHERE id = ${importId}::uuid`);
  await orm.execute(sql`UPDATE org_import_nodes SET outcome = 'not_made', note = ${NOT_MADE}
    WHERE import_id = ${importId}::uuid AND outcome = 'planned'`);
}

/** True when nothing of it starts or waits any more; then it is over. */
async function endIfStarted(tx: Transaction, importId: string): Promise<boolean> {
  const ended = await ormOf(tx).execute(sql`
    UPDATE org_imports SET ended_at = cp_now(), state = CASE
      WHEN broken_off_at IS NULL THEN 'done'::org_import_state ELSE 'stopped'::org_import_state END
    WHERE id = ${importId}::uuid AND NOT EXISTS (
      SELECT 1 FROM org_import_nodes n JOIN workspaces w ON w.id = n.workspace_id
      WHERE n.import_id = ${importId}::uuid AND n.outcome = 'created' AND ((${inFlight}) OR (${waits})))
    RETURNING id`);
  return ended.length > 0;
}

/** Lets the next of an import start, while fewer than {@link STARTS_AT_ONCE} do. Returns how many. */
export async function releaseNext(tx: Transaction, importId: string): Promise<number> {
  const orm = ormOf(tx);
  // What somebody started by hand needs no turn any more.
  await orm.execute(sql`
    UPDATE org_import_nodes n SET released_at = cp_now() FROM workspaces w
    WHERE w.id = n.workspace_id AND n.import_id = ${importId}::uuid AND n.released_at IS NULL
      AND n.outcome = 'created' AND w.backend <> 'external' AND w.phase NOT IN ('NEW', 'PAUSED')`);
  const rows = await orm.execute<{ workspace_id: string }>(sql`
    WITH next AS (
      SELECT n.workspace_id FROM org_import_nodes n JOIN workspaces w ON w.id = n.workspace_id
      WHERE n.import_id = ${importId}::uuid AND n.outcome = 'created' AND ${waits}
      ORDER BY n.position LIMIT GREATEST(0, ${STARTS_AT_ONCE} - (
        SELECT count(*) FROM org_import_nodes n JOIN workspaces w ON w.id = n.workspace_id
        WHERE n.import_id = ${importId}::uuid AND n.outcome = 'created' AND (${inFlight})))
    ), due AS (
      UPDATE workspaces SET next_action_at = LEAST(next_action_at, cp_now())
      WHERE id IN (SELECT workspace_id FROM next)
    )
    UPDATE org_import_nodes SET released_at = cp_now()
    WHERE import_id = ${importId}::uuid AND workspace_id IN (SELECT workspace_id FROM next)
    RETURNING workspace_id`);
  for (const { workspace_id: id } of rows) await hintWork(tx, id);
  return rows.length;
}

/**
 * Those of these workspaces that a team's import made at rest, and that were resumed just now, take turns
 * as if they were imported now.
 */
export async function takeTurns(tx: Transaction, workspaceIds: readonly string[]): Promise<void> {
  const orm = ormOf(tx);
  const list = `{${workspaceIds.join(",")}}`;
  const waiting = await orm.execute<{ import_id: string }>(sql`
    WITH mine AS (
      SELECT n.import_id, w.id FROM org_import_nodes n JOIN workspaces w ON w.id = n.workspace_id
      WHERE w.id = ANY (${list}::uuid[]) AND n.outcome = 'created' AND w.current_attempt = 0 AND ${waits}
    ), later AS (
      UPDATE workspaces SET next_action_at = cp_now() + ${TURN_LATEST}
      WHERE id IN (SELECT id FROM mine)
    )
    UPDATE org_imports SET state = 'starting', ended_at = NULL
    WHERE id IN (SELECT import_id FROM mine) AND state <> 'making' RETURNING id AS import_id`);
  for (const { import_id: id } of waiting) {
    await releaseNext(tx, id);
    await tellImport(tx, id);
  }
}

/** Tells how far an import is. */
export async function tellImport(tx: Transaction, importId: string): Promise<void> {
  const [row] = await ormOf(tx).execute<{
    org: string;
    state: "making" | "starting" | "done" | "stopped";
    staged: boolean;
    actor: string;
    total: number;
    there: number;
    left_out: number;
    released: number;
  }>(sql`
    SELECT i.org, i.state, i.staged, i.actor_name AS actor, count(n.*)::int AS total,
      count(*) FILTER (WHERE n.outcome IN ('created', 'exists'))::int AS there,
      count(*) FILTER (WHERE n.outcome = 'left_out')::int AS left_out,
      count(n.released_at)::int AS released
    FROM org_imports i LEFT JOIN org_import_nodes n ON n.import_id = i.id
    WHERE i.id = ${importId}::uuid GROUP BY i.id`);
  if (row === undefined) return;
  await appendEvent(tx, {
    event: "ORG_IMPORT_UPDATED",
    subjectId: null,
    payload: { ...row, import_id: importId },
  });
}
