import type { Database } from "@molecule/db/database";
import { findOpenImports, paceImport } from "@molecule/db/orgs/pace-starts";
import type { Pulse } from "@molecule/db/processes/pulse";
import type { Log } from "../runtime/log.ts";
import { RunLoop } from "../runtime/run-loop.ts";

/** Time between two looks: the longest that a free place to start stays empty. */
const EVERY_MS = 250;

/**
 * Gives the agents of imported teams their turns to start, and ends imports of which nothing is left to
 * be done. Any number of workers may. Answers what stops it. SPEC: OR7, OR8.
 */
export function startImportPacer({
  db,
  pulse,
  log,
}: {
  readonly db: Database;
  readonly pulse?: Pulse | undefined;
  readonly log: Log;
}): () => Promise<void> {
  const run = async (signal: AbortSignal) => {
    for (const id of await findOpenImports(db)) {
      if (signal.aborted) return;
      await db.transaction((tx) => paceImport(tx, id));
    }
  };
  const loop = new RunLoop({ name: "team imports", everyMs: EVERY_MS, run, pulse, log });
  return () => loop.stop();
}
