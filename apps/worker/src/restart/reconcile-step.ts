import type { Database, Transaction } from "@molecule/db/database";
import { advanceStage } from "@molecule/db/lifecycle/advance-stage";
import { beginAttempt } from "@molecule/db/lifecycle/begin-attempt";
import { recordDeleting } from "@molecule/db/lifecycle/end-run";
import { failAttempt } from "@molecule/db/lifecycle/fail-attempt";
import { fallAsleep } from "@molecule/db/lifecycle/fall-asleep";
import {
  type Fence,
  type HeldWorkspace,
  holdWorkspace,
  releaseWorkspace,
} from "@molecule/db/lifecycle/held-workspace";
import { lackingKeys } from "@molecule/db/lifecycle/lacking-keys";
import { markLacking } from "@molecule/db/lifecycle/mark-lacking";
import { makeReady } from "@molecule/db/lifecycle/mark-registered";
import { refuseStart } from "@molecule/db/lifecycle/refuse-start";
import type { AttemptContent, ContentSources } from "@molecule/db/lifecycle/take-snapshot";
import { type Decision, decide } from "@molecule/domain/decide";
import type { Backend } from "@molecule/domain/sets";
import { withoutKeys } from "@molecule/domain/without-keys";
import type { ComputeBackend } from "../provisioning/compute-backend.ts";
import type { Failpoint } from "../runtime/failpoint.ts";
import type { Log } from "../runtime/log.ts";
import type { RestartSettings } from "./settings.ts";

/** What carrying out a decision needs. */
export interface StepDeps {
  readonly db: Database;
  /** Null for a backend that this worker does not have. */
  readonly backendOf: (kind: Backend) => ComputeBackend | null;
  readonly sources: ContentSources;
  readonly settings: RestartSettings;
  readonly failpoint: Failpoint;
  readonly log: Log;
}

/** One lease on one workspace. */
export interface Work {
  readonly fence: Fence;
  /** Aborted when the lease is lost or the worker ends. */
  readonly signal: AbortSignal;
  /** The snapshot that this lease has taken; a worker that takes over reads it again. */
  content: AttemptContent | null;
}

/** `again`: decide anew; `released`: given back; `lost`: somebody else has it, write nothing. */
export type StepResult = "again" | "released" | "lost";

/** A decision that needs the backend, with the row it was made from. */
export interface Assignment {
  readonly decision: Decision;
  readonly held: HeldWorkspace;
}

/**
 * Gathers, decides and does what needs only the database, all under the row lock, so that nothing that
 * was written in between is overlooked. What needs the backend is handed back, with no lock held.
 */
export async function decideStep(deps: StepDeps, work: Work): Promise<StepResult | Assignment> {
  return await deps.db.transaction(async (tx) => {
    const held = await holdWorkspace(tx, work.fence);
    if (held === null) return "lost";
    const decision = decide(held.facts, held.now, deps.settings.lifecycle);
    deps.log.debug(
      {
        workspace: held.row.id,
        epoch: work.fence.epoch,
        attempt: held.row.currentAttempt,
        generation: held.row.desiredGen,
        phase: held.row.phase,
        decision: decision.kind,
      },
      "decided",
    );
    return await doInDatabase(deps, tx, { decision, held });
  });
}

async function doInDatabase(
  deps: StepDeps,
  tx: Transaction,
  assignment: Assignment,
): Promise<StepResult | Assignment> {
  const { decision, held } = assignment;
  switch (decision.kind) {
    case "none":
      if (held.row.phase === "PAUSED" && held.row.currentAttempt === 0) {
        await markLacking(tx, deps.sources.cipher, held.row);
      }
      await releaseWorkspace(tx, held, decision.wakeAt);
      return "released";
    case "begin":
      if (await isRefused(deps, tx, held)) return "released";
      await beginAttempt(tx, held, {
        reason: decision.reason,
        stopAlertMs: deps.settings.stopAlertMs,
      });
      return "again";
    case "ready":
      await makeReady(tx, {
        workspaceId: held.row.id,
        attemptNo: held.row.currentAttempt,
      });
      return "again";
    case "fallAsleep":
      await fallAsleep(tx, held, decision.minutes);
      return "again";
    case "stop":
      return await startStopping(deps, tx, assignment);
    case "delete":
      await recordDeleting(tx, held, deps.settings.stopAlertMs);
      return assignment;
    default:
      return assignment;
  }
}

/** What lacks a key begins no attempt, unless something has to be ended first. */
async function isRefused(deps: StepDeps, tx: Transaction, held: HeldWorkspace): Promise<boolean> {
  const becomes = withoutKeys(held.facts);
  if (becomes === "attempt") return false;
  const failure = await lackingKeys(tx, deps.sources.cipher, held.row);
  if (failure === null) return false;
  await refuseStart(tx, held, { failure, runsOn: becomes === "runsOn" });
  return true;
}

/** What lacks a key is refused before anything is stopped, installed or started. */
async function startStopping(
  deps: StepDeps,
  tx: Transaction,
  assignment: Assignment,
): Promise<StepResult | Assignment> {
  const { held } = assignment;
  const failure = await lackingKeys(tx, deps.sources.cipher, held.row);
  if (failure !== null) {
    await failAttempt(
      tx,
      held,
      { outcome: "create_failed", failure, isRetryable: false },
      deps.settings.lifecycle.backoff,
    );
    return "again";
  }
  if (held.row.currentAttempt > 1) await advanceStage(tx, held, "stopping");
  return assignment;
}

/**
 * Records the result of a backend call, if the decision that asked for it still stands. When it does
 * not (a click, a pause, a deletion came in between), nothing is recorded and the next decision deals
 * with what was made.
 */
export async function recordStep(
  deps: StepDeps,
  work: Work,
  done: Assignment,
  record: (tx: Transaction, held: HeldWorkspace) => Promise<StepResult>,
): Promise<StepResult> {
  return await deps.db.transaction(async (tx) => {
    const held = await holdWorkspace(tx, work.fence);
    if (held === null) return "lost";
    const { kind } = decide(held.facts, held.now, deps.settings.lifecycle);
    const isSame =
      kind === done.decision.kind && held.row.currentAttempt === done.held.row.currentAttempt;
    return isSame ? await record(tx, held) : "again";
  });
}
