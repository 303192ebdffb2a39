import type { Database } from "@molecule/db/database";
import { markRemoved } from "@molecule/db/lifecycle/machines";
import { waitingMachines } from "@molecule/db/sweep/fences";
import { tellSweep } from "@molecule/db/sweep/tell-sweep";
import type { ComputeBackend, Instance } from "../provisioning/compute-backend.ts";

/**
 * Notes as gone what waited for its removal and has ended by itself: it is missing from the listing,
 * which the caller believes, and the backend confirms it. SPEC: G12.
 */
export async function noteGoneMachines(
  db: Database,
  backend: ComputeBackend,
  listed: readonly Instance[],
): Promise<void> {
  const present = new Set(listed.map((one) => one.providerId));
  for (const machine of await waitingMachines(db, backend.kind)) {
    const { workspaceId, attemptNo, providerId } = machine;
    if (present.has(providerId)) continue;
    if ((await backend.inspect({ workspaceId, attemptNo })) !== null) continue;
    await db.transaction(async (tx) => {
      if (!(await markRemoved(tx, workspaceId, attemptNo))) return;
      await tellSweep(tx, {
        action: "instance_removed",
        rule: "G12",
        backend: backend.kind,
        workspaceId,
        evidence: { attempt: attemptNo, provider_id: providerId, listed: listed.length },
        sentence: `The instance of attempt ${attemptNo}, which waited for its removal, is gone.`,
      });
    });
  }
}
