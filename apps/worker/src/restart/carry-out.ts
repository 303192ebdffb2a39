import { adoptAgentFiles } from "@molecule/db/lifecycle/adopt-agent-files";
import { advanceStage, tellProgress } from "@molecule/db/lifecycle/advance-stage";
import { forgetFailure } from "@molecule/db/lifecycle/defer-step";
import { recordDeleted, recordPaused } from "@molecule/db/lifecycle/end-run";
import { failAttempt, recordCrash } from "@molecule/db/lifecycle/fail-attempt";
import { holdWorkspace, releaseWorkspace } from "@molecule/db/lifecycle/held-workspace";
import { recordObservation } from "@molecule/db/lifecycle/observe";
import { recordCreated } from "@molecule/db/lifecycle/record-created";
import {
  announceProjection,
  readContent,
  takeSnapshot,
} from "@molecule/db/lifecycle/take-snapshot";
import type { Decision } from "@molecule/domain/decide";
import { ENDED_WITH_ENGINE } from "@molecule/domain/explain";
import { startTimeoutMs } from "@molecule/domain/start-timeout";
import { isRenderedFile } from "@molecule/templates/render-config";
import {
  BackendError,
  type ComputeBackend,
  type Instance,
} from "../provisioning/compute-backend.ts";
import { specOf } from "./instance-spec.ts";
import { readExcerpt } from "./log-excerpt.ts";
import { bootTimeoutFailure, crashFailure, exitedEarlyFailure } from "./public-failure.ts";
import {
  type Assignment,
  recordStep,
  type StepDeps,
  type StepResult,
  type Work,
} from "./reconcile-step.ts";
import { removeInstances } from "./remove-instances.ts";

/** Carries out a decision that needs the backend. No transaction is open while the backend works. */
export async function carryOut(deps: StepDeps, work: Work, todo: Assignment): Promise<StepResult> {
  const { decision, held } = todo;
  if (held.row.backend === "external") return await finishDelete(deps, work, todo);
  const backend = backendOf(deps, todo);
  switch (decision.kind) {
    case "stop":
      return await stop(deps, work, todo, backend);
    case "snapshot":
      return await snapshot(deps, work, todo, backend);
    case "create":
      return await create(deps, work, todo, backend);
    case "awaitBoot":
      return await awaitBoot(deps, work, todo, backend);
    case "bootTimeout":
    case "bootExited":
      return await failBoot(deps, work, todo, backend);
    case "backoff":
      return await crash(deps, work, todo, { backend, decision });
    case "pause":
      await removeInstances(deps, work, todo, backend);
      return await recordStopped(deps, work);
    case "delete":
      await removeInstances(deps, work, todo, backend);
      await backend.removeVolumes(held.row.id);
      return await finishDelete(deps, work, todo);
    case "none":
    case "begin":
    case "fallAsleep":
    case "ready":
      throw new Error("invariant: this decision needs no backend");
  }
}

function backendOf(deps: StepDeps, { held }: Assignment): ComputeBackend {
  const backend = deps.backendOf(held.row.backend);
  if (backend !== null) return backend;
  throw new BackendError(
    {
      code: "backend_unavailable",
      sentence: `This workspace runs on the backend "${held.row.backend}", which is switched off here.`,
      next: "Start the platform with that backend, or create the workspace anew.",
    },
    { isRetryable: false },
  );
}

async function stop(
  deps: StepDeps,
  work: Work,
  todo: Assignment,
  backend: ComputeBackend,
): Promise<StepResult> {
  await deps.failpoint("before_stop");
  await removeInstances(deps, work, todo, backend);
  await deps.failpoint("after_stop");
  return await recordStep(deps, work, todo, async (tx, held) => {
    await advanceStage(tx, held, "preparing");
    return "again";
  });
}

/** Progress lines are told this often at most. */
const PROGRESS_EVERY_MS = 1_000;

async function snapshot(
  deps: StepDeps,
  work: Work,
  todo: Assignment,
  backend: ComputeBackend,
): Promise<StepResult> {
  const { row } = todo.held;
  await backend.prepare(row.runtime, progressTeller(deps, work), work.signal);
  // Nothing runs, so this may be repeated by whoever takes over before the snapshot.
  if (row.resetWanted) await backend.removeVolumes(row.id);
  const mayAdopt = row.currentAttempt > 1 && !row.resetWanted && !row.rebuildWanted;
  const agentFiles = mayAdopt ? await backend.readConfigs(row.id) : null;
  await deps.failpoint("before_snapshot");
  const result = await recordStep(deps, work, todo, async (tx, first) => {
    // Asked for since: the snapshot would take the wish away without the deed.
    if (first.row.resetWanted && !row.resetWanted) return "again";
    if (first.row.rebuildWanted && !row.rebuildWanted) return "again";
    let held = first;
    if (agentFiles !== null) {
      const adopted = await adoptAgentFiles(tx, held, agentFiles, isRenderedFile);
      // The adopted files are a generation of their own, and the snapshot must name it.
      if (adopted > 0) held = (await holdWorkspace(tx, work.fence)) ?? held;
    }
    const taken = await takeSnapshot(tx, held, deps.sources, deps.settings);
    if (taken.kind === "content") {
      work.content = taken.content;
      return "again";
    }
    await failAttempt(
      tx,
      held,
      { outcome: "create_failed", failure: taken.failure, isRetryable: false },
      deps.settings.lifecycle.backoff,
    );
    return "again";
  });
  await deps.failpoint("after_snapshot");
  return result;
}

function progressTeller(deps: StepDeps, work: Work): (line: string) => void {
  let toldAt = 0;
  return (line) => {
    if (performance.now() - toldAt < PROGRESS_EVERY_MS) return;
    toldAt = performance.now();
    const told = deps.db.transaction(async (tx) => {
      const held = await holdWorkspace(tx, work.fence);
      if (held !== null) await tellProgress(tx, held, line);
    });
    // Progress is for the eye; the work it tells about goes on without it.
    told.catch((error: unknown) => deps.log.warn({ err: error }, "progress could not be told"));
  };
}

async function create(
  deps: StepDeps,
  work: Work,
  todo: Assignment,
  backend: ComputeBackend,
): Promise<StepResult> {
  const no = todo.held.row.currentAttempt;
  const known = work.content?.attemptNo === no ? work.content : null;
  const content = known ?? (await readAgain(deps, work, todo));
  if (typeof content === "string") return content;
  await deps.failpoint("before_create");
  const instance = await backend.create(specOf(content), work.signal);
  await deps.failpoint("after_create");
  const result = await recordStep(deps, work, todo, async (tx, held) => {
    await recordCreated(
      tx,
      held,
      {
        providerId: instance.providerId,
        address: instance.address,
        content,
        isExact: known !== null,
      },
      { bootTimeoutMs: bootTimeoutOf(deps, held) },
    );
    return "again";
  });
  // Made by an earlier try, which the engine did not live to answer.
  if (instance.state === "exited") await recordEnd(deps, todo, instance);
  await deps.failpoint("after_created");
  return result;
}

/** By what the attempt runs with, so that a later change of it moves no deadline that is shown. */
function bootTimeoutOf(deps: StepDeps, { row, attempt }: Assignment["held"]): number {
  return startTimeoutMs({
    overrideMs: deps.settings.bootTimeoutMs,
    extra: (attempt?.snapConfig ?? row.config).extra ?? {},
    runtime: row.runtime,
  });
}

/** A worker took over after the snapshot: the content as of now holds at least its generation. */
async function readAgain(deps: StepDeps, work: Work, todo: Assignment) {
  let content = null;
  const result = await recordStep(deps, work, todo, async (tx, held) => {
    const found = await readContent(tx, held, deps.sources);
    if (found.kind === "content") {
      await announceProjection(tx, held.row.id);
      content = found.content;
    } else {
      const failed = {
        outcome: "create_failed",
        failure: found.failure,
        isRetryable: false,
      } as const;
      await failAttempt(tx, held, failed, deps.settings.lifecycle.backoff);
    }
    return "again";
  });
  return content ?? result;
}

async function awaitBoot(
  deps: StepDeps,
  work: Work,
  todo: Assignment,
  backend: ComputeBackend,
): Promise<StepResult> {
  const instance = await backend.inspect(keyOf(todo));
  if (instance === null || instance.state === "exited") {
    await recordEnd(deps, todo, instance);
    return "again";
  }
  return await recordStep(deps, work, todo, async (tx, held) => {
    const { decision } = todo;
    if (decision.kind !== "awaitBoot") throw new Error("invariant: the decision is awaitBoot");
    await forgetFailure(tx, held);
    await releaseWorkspace(tx, held, decision.wakeAt);
    return "released";
  });
}

/** What ended while its engine did not answer ended with it and has not failed. SPEC: R25, X9. */
async function recordEnd(
  deps: StepDeps,
  todo: Assignment,
  instance: Instance | null,
): Promise<void> {
  const isInOutage = todo.held.row.failure?.code === "engine_unavailable";
  await recordObservation(deps.db, {
    ...keyOf(todo),
    kind: instance === null ? "gone" : "exited",
    detail: isInOutage ? ENDED_WITH_ENGINE : (instance?.exit ?? null),
    isInHand: true,
  });
}

function keyOf({ held }: Assignment) {
  return { workspaceId: held.row.id, attemptNo: held.row.currentAttempt };
}

async function failBoot(
  deps: StepDeps,
  work: Work,
  todo: Assignment,
  backend: ComputeBackend,
): Promise<StepResult> {
  const isTimeout = todo.decision.kind === "bootTimeout";
  if (isTimeout) {
    // An engine that does not answer is not the agent's delay, and throws here.
    const instance = await backend.inspect(keyOf(todo));
    if (instance?.state !== "running") {
      await recordEnd(deps, todo, instance);
      return "again";
    }
  }
  const excerpt = await readExcerpt(excerptSources(deps), backend, keyOf(todo));
  const seconds = bootTimeoutOf(deps, todo.held) / 1_000;
  return await recordStep(deps, work, todo, async (tx, held) => {
    await failAttempt(
      tx,
      held,
      {
        outcome: isTimeout ? "boot_timeout" : "boot_failed",
        failure: isTimeout ? bootTimeoutFailure(seconds) : exitedEarlyFailure(held.downDetail),
        isRetryable: true,
        logExcerpt: excerpt,
        ...(isTimeout ? { timeoutSeconds: Math.round(seconds) } : {}),
      },
      deps.settings.lifecycle.backoff,
    );
    return "again";
  });
}

async function crash(
  deps: StepDeps,
  work: Work,
  todo: Assignment,
  seen: { backend: ComputeBackend; decision: Extract<Decision, { kind: "backoff" }> },
): Promise<StepResult> {
  const { backend, decision } = seen;
  const logExcerpt = await readExcerpt(excerptSources(deps), backend, keyOf(todo));
  return await recordStep(deps, work, todo, async (tx, held) => {
    const failure = crashFailure(held.downDetail, decision.cause === "unhealthy");
    await recordCrash(tx, held, decision, { failure, logExcerpt });
    return "again";
  });
}

function excerptSources(deps: StepDeps) {
  return { db: deps.db, cipher: deps.sources.cipher };
}

/** Everything is stopped, so the workspace rests, also when it was resumed meanwhile. */
async function recordStopped(deps: StepDeps, work: Work): Promise<StepResult> {
  return await deps.db.transaction(async (tx) => {
    const held = await holdWorkspace(tx, work.fence);
    if (held === null) return "lost";
    if (held.row.intent !== "deleted") await recordPaused(tx, held);
    return "again";
  });
}

async function finishDelete(deps: StepDeps, work: Work, todo: Assignment): Promise<StepResult> {
  return await recordStep(deps, work, todo, async (tx, held) => {
    await recordDeleted(tx, held);
    await releaseWorkspace(tx, held, null);
    return "released";
  });
}
