import type { Database } from "@molecule/db/database";
import type { Pulse } from "@molecule/db/processes/pulse";
import { clearPhantomBusy } from "@molecule/db/sweep/phantom-busy";
import { BUSY_SWEEP_EVERY_MS } from "@molecule/domain/sweep";
import type { Log } from "../runtime/log.ts";
import { RunLoop } from "../runtime/run-loop.ts";

/** What the sweep needs. */
export interface BusySweepOptions {
  readonly db: Database;
  /** Multiplies the time between two passes; below 1 in tests. */
  readonly timeScale: number;
  readonly pulse?: Pulse | undefined;
  readonly log: Log;
}

/** Frees agents that count as busy and are not, pass after pass, until the answer is called. SPEC: G15. */
export function startBusySweep({ db, timeScale, pulse, log }: BusySweepOptions) {
  // The first pass is at once: what counts is the clock of the database, not how long this worker runs.
  const everyMs = Math.max(BUSY_SWEEP_EVERY_MS * timeScale, 20);
  const loop = new RunLoop({
    name: "phantom busy",
    everyMs,
    run: async () => {
      const cleared = await db.transaction(clearPhantomBusy);
      if (cleared > 0) log.info({ cleared }, "agents that counted as busy are idle again");
    },
    pulse,
    log,
  });
  return () => loop.stop();
}
