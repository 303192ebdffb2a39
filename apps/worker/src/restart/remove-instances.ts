import {
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
  const fenced = decision.kind === "delete" ? null : await fencedAttempts(deps.db, id);
  for (const attemptNo of numbersOf(recorded, listed)) {
    if (fenced?.has(attemptNo)) continue;
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

function absenceOf(recorded: readonly number[]) {
  return { listsKnown: false, expected: recorded.length };
}

function numbersOf(recorded: readonly number[], listed: readonly Instance[]): ReadonlySet<number> {
  return new Set([...recorded, ...listed.map((instance) => instance.attemptNo)]);
}
