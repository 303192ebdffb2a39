import { WORKER_ALIVE_SECONDS, type WorkerInfo, workerInfo } from "@molecule/contracts/worker-info";
import { desc, gt, sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { workers } from "../schema/content.ts";

/** A worker that was seen a moment ago. */
export interface LiveWorker {
  readonly id: string;
  /** Where its private API listens. */
  readonly url: string;
  /** Null when the row was written by a version that says other things. */
  readonly info: WorkerInfo | null;
}

/** Live workers, the one seen last first. */
export async function listLiveWorkers(q: Queryable): Promise<LiveWorker[]> {
  const rows = await ormOf(q)
    .select({ id: workers.id, url: workers.url, info: workers.info })
    .from(workers)
    .where(gt(workers.lastSeenAt, sql`cp_now() - ${WORKER_ALIVE_SECONDS} * interval '1 second'`))
    .orderBy(desc(workers.lastSeenAt));
  return rows.map(({ id, url, info }) => {
    const parsed = workerInfo.safeParse(info);
    return { id, url, info: parsed.success ? parsed.data : null };
  });
}
