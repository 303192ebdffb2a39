import { holdWorkspace } from "@molecule/db/lifecycle/held-workspace";
import {
  advanceMachine,
  attemptsWithMachine,
  markRemoved,
  markRemoving,
  recordListed,
} from "@molecule/db/lifecycle/machines";
import { fencedAttempts } from "@molecule/db/sweep/fences";
import type { ComputeBackend, Instance } from "../provisioning/compute-backend.ts";
import { believesAbsence, otherMachineError } from "../sweep/believe-absence.ts";
import { fenceStubborn } from "../sweep/fence-stubborn.ts";
import type { Assignment, StepDeps, Work } from "./reconcile-step.ts";

/**
 * Removes the instances of older attempts, or of all attempts when the workspace is to rest. The
 * backend's list has also those that a killed worker made and never recorded. What does not end for the
 * fence time is fenced and left to the sweeper, unless the workspace is deleted. SPEC: G7, G11.
 * @throws BackendError of the first removal that failed and was not fenced.
 */
export async function removeInstances(
  deps: StepDeps,
  work: Work,
  { decision, held }: Assignment,
  backend: ComputeBackend,
): Promise<void> {
  const { id, currentAttempt } = held.row;
  const below = decision.kind === "stop" ? currentAttempt : currentAttempt + 1;
  if (below <= 1) return;
  const recorded = await attemptsWithMachine(deps.db, id, below);
  // A backend that lists nothing remembers what it made itself, so the rows are all there is.
  const { list: hasList } = backend.capabilities;
  const all = hasList ? await backend.list() : [];
  const listed = all.filter((one) => one.workspaceId === id && one.attemptNo < below);
  // On another machine than before each of them would be gone at once, and would run on where it is.
  const isBlank = hasList && all.length === 0 && recorded.length > 0;
  if (isBlank && !(await believesAbsence(deps.db, backend, absenceOf(recorded)))) {
    throw otherMachineError(backend);
  }
  for (const one of listed) await recordListed(deps.db, backend.kind, one);
  const kept = await keepMachine(deps, work, { decision, held }, { backend, all });
  const fenced = decision.kind === "delete" ? null : await fencedAttempts(deps.db, id);
  for (const attemptNo of numbersOf(recorded, listed)) {
    if (fenced?.has(attemptNo) || kept.has(attemptNo)) continue;
    work.signal.throwIfAborted();
    await markRemoving(deps.db, id, attemptNo);
    try {
      await backend.remove({ workspaceId: id, attemptNo }, work.signal);
    } catch (error) {
      const { fenceAfterMs } = deps.settings;
      const failed = { workspaceId: id, attemptNo, error, fenceAfterMs, signal: work.signal };
      const isFenced = fenced !== null && (await fenceStubborn(deps.db, backend, failed));
      if (isFenced) continue;
      throw error;
    }
    await markRemoved(deps.db, id, attemptNo);
  }
}

const NONE: ReadonlySet<number> = new Set();

/**
 * Where machines outlive attempts, the newest one stays: a restart hands it to the current attempt, whose
 * it is in the database before anything is done to it, and a pause lets it rest. Answers the attempts
 * whose machine it was. SPEC: G16.
 */
async function keepMachine(
  deps: StepDeps,
  work: Work,
  { decision, held }: Assignment,
  { backend, all }: { readonly backend: ComputeBackend; readonly all: readonly Instance[] },
): Promise<ReadonlySet<number>> {
  const { machines } = backend;
  const { id, currentAttempt, resetWanted } = held.row;
  if (machines === undefined || decision.kind === "delete") return NONE;
  const [newest] = all
    .filter((one) => one.workspaceId === id)
    .sort((a, b) => b.attemptNo - a.attemptNo);
  if (newest === undefined) return NONE;
  if (decision.kind === "pause") {
    await machines.rest(newest, work.signal);
    return new Set([newest.attemptNo]);
  }
  if (resetWanted) return NONE;
  const isIts = await deps.db.transaction(async (tx) => {
    const now = await holdWorkspace(tx, work.fence);
    return now !== null && (await advanceMachine(tx, now, newest.providerId));
  });
  if (!isIts) return NONE;
  const isKept = await machines.handOver(newest, currentAttempt, work.signal);
  return isKept ? new Set([newest.attemptNo]) : NONE;
}

function absenceOf(recorded: readonly number[]) {
  return { listsKnown: false, expected: recorded.length };
}

function numbersOf(recorded: readonly number[], listed: readonly Instance[]): ReadonlySet<number> {
  return new Set([...recorded, ...listed.map((instance) => instance.attemptNo)]);
}
