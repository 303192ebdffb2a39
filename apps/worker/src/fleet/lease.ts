import { type Claim, renewLease } from "@molecule/db/claim";
import type { Database } from "@molecule/db/database";
import type { Log } from "../runtime/log.ts";
import { RunLoop } from "../runtime/run-loop.ts";

/** What keeps a lease while something is done under it. */
export interface LeaseKeeping {
  readonly db: Database;
  readonly leaseMs: number;
  /** Aborted when the worker ends. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** Runs `work` while the lease is renewed; its signal is aborted when the lease is lost. */
export async function whileLeased(
  { db, leaseMs, signal, log }: LeaseKeeping,
  claim: Claim,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const lost = new AbortController();
  const renewal = new RunLoop({
    name: "lease",
    everyMs: leaseMs / 3,
    firstAfterMs: leaseMs / 3,
    run: async () => {
      if (!(await renewLease(db, claim, leaseMs))) lost.abort();
    },
    log,
  });
  try {
    await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    await renewal.stop();
  }
}
