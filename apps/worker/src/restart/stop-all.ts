import type { Database } from "@molecule/db/database";
import { ENDED_WITH_PLATFORM } from "@molecule/db/lifecycle/held-workspace";
import { markRemoved } from "@molecule/db/lifecycle/machines";
import { recordObservation } from "@molecule/db/lifecycle/observe";
import type { ComputeBackend, Instance } from "../provisioning/compute-backend.ts";
import type { Log } from "../runtime/log.ts";

/** What ending all instances needs. */
export interface StopAllOptions {
  readonly db: Database;
  readonly backends: readonly ComputeBackend[];
  readonly log: Log;
}

/** Below the time that the launcher gives a worker to end. */
const WITHIN_MS = 8_000;

/**
 * Ends every instance of this platform because the platform ends. What does not end in time is left to
 * the next start, which finds it. Workspaces keep their intent: the next start starts them again.
 */
export async function stopAllInstances(options: StopAllOptions): Promise<void> {
  const signal = AbortSignal.timeout(WITHIN_MS);
  const ended = Promise.all(
    options.backends.map(async (backend) => {
      const instances = await backend.list().catch(() => []);
      await Promise.all(instances.map((one) => stopOne(options, backend, one, signal)));
    }),
  );
  const late = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.race([ended, late]);
}

async function stopOne(
  { db, log }: StopAllOptions,
  backend: ComputeBackend,
  one: Instance,
  signal: AbortSignal,
): Promise<void> {
  try {
    await backend.remove(one, signal);
    await markRemoved(db, one.workspaceId, one.attemptNo);
    const { workspaceId, attemptNo } = one;
    await recordObservation(db, {
      workspaceId,
      attemptNo,
      kind: "gone",
      detail: ENDED_WITH_PLATFORM,
      isInHand: true,
    });
  } catch (error) {
    log.warn({ err: error, workspace: one.workspaceId }, "an agent did not end with the platform");
  }
}
