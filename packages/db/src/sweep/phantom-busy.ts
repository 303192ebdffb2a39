import type { Backend } from "@molecule/domain/sets";
import { BUSY_SILENCE_SECONDS } from "@molecule/domain/sweep";
import { sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { wakeQueue } from "../queue/a2a-queue.ts";
import { tellSweep } from "./tell-sweep.ts";

/** Agents put right by one pass at most; the next one goes on. */
const BATCH = 200;

interface Phantom extends Record<string, unknown> {
  readonly id: string;
  readonly backend: Backend;
  readonly active_tasks: number;
  readonly current_task: string;
  readonly silent_seconds: number;
  readonly beat_seconds: number;
}

/**
 * Makes idle again what counts as busy without a sign of work: nobody has said so for ten minutes, no
 * message of it was written down or answered, and none is under way to it. What waits for it is due then.
 * Any number of workers may run it. Returns how many. SPEC: G15. Source: wire contract §13.
 */
export async function clearPhantomBusy(tx: Transaction): Promise<number> {
  const since = sql`cp_now() - ${BUSY_SILENCE_SECONDS} * interval '1 second'`;
  // Notes of the platform itself are no activity of the agent.
  const isOurs = sql`a.activity_type IN ('lifecycle', 'change')`;
  const rows = await ormOf(tx).execute<Phantom>(sql`
    WITH phantom AS (
      SELECT l.workspace_id, l.active_tasks, l.current_task, l.last_heartbeat_at, w.backend,
        COALESCE(l.worked_at, l.last_heartbeat_at) AS said_at
      FROM liveness l JOIN workspaces w ON w.id = l.workspace_id
      WHERE l.active_tasks > 0 AND w.intent <> 'deleted'
        AND COALESCE(l.worked_at, l.last_heartbeat_at) < ${since}
        AND NOT EXISTS (SELECT 1 FROM activity a
          WHERE a.workspace_id = l.workspace_id AND a.updated_at > ${since} AND NOT ${isOurs})
        AND NOT EXISTS (SELECT 1 FROM activity a
          WHERE a.created_at > ${since} AND a.source_id = l.workspace_id AND NOT ${isOurs})
        AND NOT EXISTS (SELECT 1 FROM a2a_queue q
          WHERE q.workspace_id = l.workspace_id AND q.lease_until > cp_now())
      ORDER BY l.workspace_id LIMIT ${BATCH} FOR UPDATE OF l SKIP LOCKED)
    UPDATE liveness l SET active_tasks = 0, current_task = '', current_task_at = NULL
    FROM phantom p WHERE l.workspace_id = p.workspace_id
    RETURNING l.workspace_id AS id, p.backend, p.active_tasks, p.current_task,
      round(extract(epoch FROM cp_now() - p.said_at))::int AS silent_seconds,
      round(extract(epoch FROM cp_now() - p.last_heartbeat_at))::int AS beat_seconds`);
  for (const row of rows) await tell(tx, row);
  return rows.length;
}

async function tell(tx: Transaction, row: Phantom): Promise<void> {
  await appendEvent(tx, {
    event: "TASK_UPDATED",
    subjectId: row.id,
    payload: { current_task: "", active_tasks: 0 },
  });
  const minutes = Math.floor(row.silent_seconds / 60);
  await tellSweep(tx, {
    action: "busy_cleared",
    rule: "G15",
    backend: row.backend,
    workspaceId: row.id,
    evidence: {
      active_tasks: row.active_tasks,
      had_task_text: row.current_task !== "",
      silent_seconds: row.silent_seconds,
      last_beat_seconds: row.beat_seconds,
    },
    sentence: `It counted as busy, and nothing was heard of that work for ${minutes} minutes; it counts as idle again.`,
  });
  await wakeQueue(tx, row.id);
}
