import { KEPT_RUNS } from "@molecule/domain/schedule";
import { sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";

/** Forgets the oldest ended runs of a schedule that has more than are kept. */
export async function trimRuns(tx: Transaction, scheduleId: string): Promise<void> {
  await ormOf(tx).execute(sql`
    DELETE FROM schedule_runs WHERE schedule_id = ${scheduleId} AND outcome IS NOT NULL
      AND started_at < (SELECT started_at FROM schedule_runs WHERE schedule_id = ${scheduleId}
        ORDER BY started_at DESC OFFSET ${KEPT_RUNS - 1} LIMIT 1)`);
}
