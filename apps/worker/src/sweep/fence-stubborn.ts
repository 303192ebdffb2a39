import type { Database } from "@molecule/db/database";
import { isFenceDue, recordFenced, type Stubborn } from "@molecule/db/sweep/fences";
import { BackendError, type ComputeBackend } from "../provisioning/compute-backend.ts";

/** An instance whose removal has just failed. */
export interface FailedRemoval extends Stubborn {
  /** What the removal threw. */
  readonly error: unknown;
  readonly fenceAfterMs: number;
  readonly signal: AbortSignal;
}

/**
 * Fences an instance that has not ended for the fence time, so that the next start need not wait for it.
 * False when it is not time yet, or when the failure says nothing about the instance: a backend that is
 * away may have let it run. SPEC: G11.
 */
export async function fenceStubborn(
  db: Database,
  backend: ComputeBackend,
  failed: FailedRemoval,
): Promise<boolean> {
  const { error, signal, workspaceId, attemptNo } = failed;
  if (!(error instanceof BackendError) || error.failure.code !== "stop_failed") return false;
  const of = { workspaceId, attemptNo };
  if (!(await isFenceDue(db, of, failed.fenceAfterMs))) return false;
  await backend.fence(of, signal);
  const why = error.failure.sentence;
  await db.transaction((tx) => recordFenced(tx, { ...of, backend: backend.kind, why }));
  return true;
}
