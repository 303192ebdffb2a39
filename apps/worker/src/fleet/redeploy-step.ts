import type { Claim } from "@molecule/db/claim";
import type { Database, Transaction } from "@molecule/db/database";
import {
  actorOfJob,
  deferFleetJob,
  endFleetJob,
  type FleetJob,
  holdFleetJob,
  tellFleetJob,
} from "@molecule/db/fleet/fleet-jobs";
import {
  askBatch,
  isGone,
  type NamedMember,
  readMembers,
  settleMembers,
} from "@molecule/db/fleet/redeployments";
import type { PublicFailure } from "@molecule/domain/errors";
import { decideRedeploy, type Settled } from "@molecule/domain/redeploy";
import { startTimeoutMs } from "@molecule/domain/start-timeout";
import type { RestartSettings } from "../restart/settings.ts";

/** What a step of a redeployment needs. */
export interface RedeployDeps {
  readonly db: Database;
  readonly settings: RestartSettings;
}

/**
 * One look at a redeployment and what follows from it, in one transaction under the claim: whoever goes
 * on finds it before or after the step, never in between. SPEC: I15 to I19.
 */
export async function redeployStep(deps: RedeployDeps, claim: Claim): Promise<void> {
  try {
    await deps.db.transaction((tx) => step(deps, tx, claim));
  } catch (error) {
    // Removed between the look and the wish: the next look sees it.
    if (!isGone(error)) throw error;
    await deferFleetJob(deps.db, claim, deps.settings.pollMs);
  }
}

async function step(deps: RedeployDeps, tx: Transaction, claim: Claim): Promise<void> {
  const held = await holdFleetJob(tx, claim);
  if (held === null) return;
  const { job, now } = held;
  const members = await readMembers(tx, job.id);
  const { batch, deadlineAt } = job;
  const { settled, next } = decideRedeploy({ members, batch, deadlineAt }, now);
  await settleMembers(tx, job.id, settled);
  switch (next.kind) {
    case "done":
      await endFleetJob(tx, claim, { status: "done", progress: "" });
      return;
    case "halt": {
      const failure = haltFailure(members, settled);
      await endFleetJob(tx, claim, { status: "failed", progress: "", failure });
      return;
    }
    case "ask": {
      const asked = members.filter(({ position }) => next.positions.includes(position));
      await ask(deps, tx, { job, now, asked });
      await tellFleetJob(tx, claim, { progress: `Restarting ${namesOf(asked)}` });
      break;
    }
    case "wait":
      break;
  }
  await deferFleetJob(tx, claim, deps.settings.pollMs);
}

async function ask(
  { settings }: RedeployDeps,
  tx: Transaction,
  turn: { readonly job: FleetJob; readonly now: Date; readonly asked: readonly NamedMember[] },
): Promise<void> {
  const { job, now, asked } = turn;
  const timeoutMs = job.batchTimeoutMs ?? batchTimeoutMs(settings, asked);
  await askBatch(tx, {
    jobId: job.id,
    members: asked,
    actor: actorOfJob(job),
    settings: settings.lifecycle.settle,
    deadlineAt: new Date(now.getTime() + timeoutMs),
  });
}

/** The longest way back: turns are waited for, the old instance is fenced, the slowest starts. */
function batchTimeoutMs(settings: RestartSettings, asked: readonly NamedMember[]): number {
  const { lifecycle, fenceAfterMs, createTimeoutMs, bootTimeoutMs } = settings;
  const starts = asked.map(({ extra, runtime }) =>
    startTimeoutMs({ overrideMs: bootTimeoutMs, extra, runtime }),
  );
  return lifecycle.settle.turnWaitMs + fenceAfterMs + createTimeoutMs + Math.max(...starts);
}

function haltFailure(members: readonly NamedMember[], settled: readonly Settled[]): PublicFailure {
  const lost = new Set(
    settled.filter(({ state }) => state === "lost").map(({ position }) => position),
  );
  const gone = members.filter(({ state, position }) => state === "lost" || lost.has(position));
  return {
    code: "boot_timeout",
    sentence: `${namesOf(gone)} did not come back, so nobody else is restarted.`,
    next: "Look at what they say, then go on with the redeployment.",
  };
}

/** Names shown in one sentence. */
const MAX_NAMES = 5;

function namesOf(members: readonly NamedMember[]): string {
  const shown = members.slice(0, MAX_NAMES).map(({ name }) => name);
  const rest = members.length - shown.length;
  return rest > 0 ? `${shown.join(", ")} and ${rest} more` : shown.join(", ");
}
