import { deferStep, stepSince } from "@molecule/db/lifecycle/defer-step";
import { failAttempt } from "@molecule/db/lifecycle/fail-attempt";
import { type HeldWorkspace, holdWorkspace } from "@molecule/db/lifecycle/held-workspace";
import { stepRetryDelayMs } from "@molecule/domain/backoff";
import { type Decision, decide } from "@molecule/domain/decide";
import { OPEN_PHASES } from "@molecule/domain/sets";
import { BackendError } from "../provisioning/compute-backend.ts";
import { publicFailureOf } from "./public-failure.ts";
import type { StepDeps, StepResult, Work } from "./reconcile-step.ts";

/** The wait after a failure that nobody foresaw, outside of an attempt. */
const UNFORESEEN_DELAY_MS = 30_000;

/**
 * What follows a step that threw. A stop is repeated and never skipped; a creation is repeated with the
 * same token while that may help and then ends the attempt; anything unforeseen ends the attempt with a
 * public sentence and a backoff. One workspace's failure stays its own.
 */
export async function recoverStep(deps: StepDeps, work: Work, error: unknown): Promise<StepResult> {
  deps.log.warn(
    { err: error, workspace: work.fence.workspaceId, epoch: work.fence.epoch },
    "a step failed",
  );
  return await deps.db.transaction(async (tx) => {
    const held = await holdWorkspace(tx, work.fence);
    if (held === null) return "lost";
    const decision = decide(held.facts, held.now, deps.settings.lifecycle);
    const waited = held.now.getTime() - stepSince(held).getTime();
    const scale = deps.settings.stepRetryScale;
    const delayMs = stepRetryDelayMs(waited / scale) * scale;
    const alertMs = deps.settings.stopAlertMs;
    if (isRepeated(deps, decision, error, waited)) {
      const failure = repeatedFailure(decision, error);
      await deferStep(tx, held, { failure, delayMs, alertMs });
      return "released";
    }
    if (isOpen(held)) {
      await failAttempt(
        tx,
        held,
        { outcome: "create_failed", failure: publicFailureOf(error), isRetryable: true },
        deps.settings.lifecycle.backoff,
      );
      return "again";
    }
    const delay = { failure: null, delayMs: UNFORESEEN_DELAY_MS * scale, alertMs };
    await deferStep(tx, held, delay);
    return "released";
  });
}

function isRepeated(deps: StepDeps, { kind }: Decision, error: unknown, waited: number): boolean {
  switch (kind) {
    case "stop":
    case "pause":
    case "delete":
    case "awaitBoot":
      return true;
    case "bootTimeout":
      // Nobody knows how the start went while the engine does not answer.
      return error instanceof BackendError && error.failure.code === "engine_unavailable";
    case "snapshot":
    case "create":
      return (
        error instanceof BackendError && error.isRetryable && waited < deps.settings.createTimeoutMs
      );
    default:
      return false;
  }
}

function repeatedFailure({ kind }: Decision, error: unknown) {
  if (error instanceof BackendError) return error.failure;
  if (kind === "awaitBoot") return null;
  const what = kind === "delete" ? "be removed" : "be stopped";
  return {
    code: "stop_failed" as const,
    sentence: `The agent's instance could not ${what} yet.`,
    next: "The platform keeps trying; its log says more.",
  };
}

function isOpen({ row }: HeldWorkspace): boolean {
  return OPEN_PHASES.some((phase) => phase === row.phase);
}
