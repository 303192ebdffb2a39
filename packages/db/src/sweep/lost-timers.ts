import type { Backend } from "@molecule/domain/sets";
import { sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { hintWork } from "../events/append-event.ts";
import { tellSweep } from "./tell-sweep.ts";

/** A repeated step waits less than this, so a timer further away than that is none of its own. */
const REPEATED_WITHIN_SECONDS = 60;

interface LostTimer extends Record<string, unknown> {
  readonly id: string;
  readonly backend: Backend;
  readonly phase: string;
  readonly intent: string;
  readonly current_attempt: string;
  readonly overdue_seconds: number | null;
}

/**
 * Makes due what is to be done and what nobody would look at: without a timer, or past its deadline with
 * a timer far away. What a worker holds is left to it; what a dead one held is due by itself once its
 * lease has run out. Returns how many. SPEC: G10.
 */
export async function restoreTimers(tx: Transaction): Promise<number> {
  const rows = await ormOf(tx).execute<LostTimer>(sql`
    UPDATE workspaces w SET next_action_at = cp_now()
    WHERE (w.lease_until IS NULL OR w.lease_until < cp_now()) AND w.phase <> 'DELETED'
      AND (
        (w.next_action_at IS NULL AND (
          w.intent = 'deleted'
          OR (w.backend <> 'external' AND (
            w.phase IN ('STOPPING', 'CREATING', 'BOOTING', 'DELETING')
            OR (w.intent = 'run' AND w.phase IN ('NEW', 'BACKOFF', 'PAUSED'))
            OR (w.intent IN ('paused', 'hibernated') AND w.phase <> 'PAUSED')))))
        OR (w.deadline_at < cp_now() AND w.phase IN ('STOPPING', 'CREATING', 'BOOTING', 'DELETING')
          AND w.next_action_at > cp_now() + ${REPEATED_WITHIN_SECONDS} * interval '1 second'))
    RETURNING w.id, w.backend, w.phase, w.intent, w.current_attempt,
      round(extract(epoch FROM cp_now() - w.deadline_at))::int AS overdue_seconds`);
  for (const row of rows) {
    const overdue = row.overdue_seconds !== null && row.overdue_seconds > 0;
    await tellSweep(tx, {
      action: "timer_restored",
      rule: "G10",
      backend: row.backend,
      workspaceId: row.id,
      evidence: {
        attempt: Number(row.current_attempt),
        phase: row.phase,
        intent: row.intent,
        overdue_seconds: row.overdue_seconds,
      },
      sentence: overdue
        ? `Attempt ${row.current_attempt} was ${row.overdue_seconds} s past its deadline and nobody worked on it; it was taken up again.`
        : "Something was to be done and nobody worked on it; it was taken up again.",
    });
    await hintWork(tx, row.id);
  }
  return rows.length;
}
