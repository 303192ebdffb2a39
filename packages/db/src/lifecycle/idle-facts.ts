import type { Intent, Phase } from "@molecule/domain/sets";
import type { IdleFacts } from "@molecule/domain/sleep";
import { sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";

/** What of a workspace says whether it may fall asleep at all. */
interface UpFacts {
  readonly id: string;
  readonly phase: Phase;
  readonly intent: Intent;
  readonly hibernationIdleMinutes: number | null;
}

/** Newest rows of the activity that are looked at; what is older has ended before them or still runs. */
const RECENT_ROWS = 50;

/**
 * How long the agent has had nothing to do; null when it never falls asleep by itself, or is not up.
 * What it last said counts however old it is: an agent that fell silent in the middle of a turn is busy.
 */
export async function idleFacts(tx: Transaction, row: UpFacts): Promise<IdleFacts | null> {
  const { id, hibernationIdleMinutes: minutes } = row;
  if (minutes === null || row.phase !== "READY" || row.intent !== "run") return null;
  const [seen] = await ormOf(tx).execute<{ since: string; is_busy: boolean }>(sql`
    SELECT GREATEST(w.ready_at, w.last_outbound_at, w.last_dirty_at, l.worked_at,
        (SELECT max(GREATEST(v.created_at, v.updated_at)) FROM (
          SELECT created_at, updated_at FROM activity
          WHERE workspace_id = w.id ORDER BY seq DESC LIMIT ${RECENT_ROWS}) v)) AS since,
      COALESCE(l.active_tasks, 0) > 0 OR EXISTS (
        SELECT 1 FROM a2a_queue q
        WHERE q.workspace_id = w.id AND q.status IN ('queued', 'dispatched')) AS is_busy
    FROM workspaces w LEFT JOIN liveness l
      ON l.workspace_id = w.id AND l.attempt_no = w.current_attempt
    WHERE w.id = ${id}`);
  if (seen === undefined) return null;
  return { minutes, since: new Date(seen.since), isBusy: seen.is_busy };
}
