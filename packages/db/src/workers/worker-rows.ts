import type { WorkerInfo } from "@molecule/contracts/worker-info";
import { eq, sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { workers } from "../schema/content.ts";

/** Announces a worker, or says that it still lives. Whoever finds a row older than 15 s ignores it. */
export async function announceWorker(
  q: Queryable,
  worker: { readonly id: string; readonly url: string; readonly info: WorkerInfo },
): Promise<void> {
  const values = { url: worker.url, info: { ...worker.info }, lastSeenAt: sql`cp_now()` };
  await ormOf(q)
    .insert(workers)
    .values({ id: worker.id, ...values })
    .onConflictDoUpdate({ target: workers.id, set: values });
}

/** Takes the row away when a worker ends in order. */
export async function withdrawWorker(q: Queryable, id: string): Promise<void> {
  await ormOf(q).delete(workers).where(eq(workers.id, id));
}

/** Removes rows of workers that ended without saying so. */
export async function forgetDeadWorkers(q: Queryable): Promise<void> {
  await ormOf(q).execute(
    sql`DELETE FROM workers WHERE last_seen_at < cp_now() - interval '10 minutes'`,
  );
}
