import { type FleetJob, latestFleetJob } from "@molecule/db/fleet/fleet-jobs";
import {
  addRedeployment,
  readMembers,
  resumeRedeployment,
  stopRedeployment,
} from "@molecule/db/fleet/redeployments";
import { DomainError } from "@molecule/domain/errors";
import {
  type Actor,
  FLEET_ITEM_STATES,
  type FleetItemState,
  type Runtime,
} from "@molecule/domain/sets";
import type { Deps } from "../../deps.ts";

/** A redeployment as somebody asks for it. */
export interface RedeployWish {
  /** Null: every runtime. */
  readonly runtime: Runtime | null;
  /** Workspaces that may be away at the same time. */
  readonly batch: number;
  /** Time a batch has to come back, in ms; null: as long as its slowest start may take. */
  readonly batchTimeoutMs: number | null;
}

/** A redeployment as it is now. */
export interface RedeployView {
  readonly id: string;
  readonly status: FleetJob["status"];
  readonly runtime: Runtime | null;
  readonly batch: number;
  /** When the batch under way has to be back; null when none is. */
  readonly deadline_at: string | null;
  readonly total: number;
  readonly counts: Readonly<Record<FleetItemState, number>>;
  readonly workspaces: readonly {
    readonly id: string;
    readonly name: string;
    readonly state: FleetItemState;
    /** Why it was left out or is lost; null otherwise. */
    readonly note: string | null;
  }[];
  /** What is being done, for a person. */
  readonly progress: string;
  readonly error: string | null;
  readonly next: string | null;
  readonly asked_by: string;
  readonly started_at: string;
  readonly ended_at: string | null;
}

/** Starts one. @throws DomainError `conflict` with the one that runs. */
export async function startRedeployment(
  deps: Deps,
  actor: Actor,
  wish: RedeployWish,
): Promise<RedeployView> {
  const job = await deps.db.transaction((tx) => addRedeployment(tx, { ...wish, actor }));
  if (job !== null) return await viewOf(deps, job);
  const running = await readRedeployment(deps);
  throw new DomainError("conflict", "A redeployment is running already.", {
    next: "Wait for its end, or stop it with POST /admin/workspaces/redeploy/stop.",
    details: { running },
  });
}

/** The one that runs, or else the last one. @throws DomainError `not_found` before the first. */
export async function readRedeployment(deps: Deps): Promise<RedeployView> {
  const job = await latestFleetJob(deps.db, "redeploy");
  if (job === null) throw new DomainError("not_found", "There was no redeployment yet.");
  return await viewOf(deps, job);
}

/** @throws DomainError `conflict` when none runs. */
export async function endRedeployment(deps: Deps, actor: Actor): Promise<RedeployView> {
  const job = await stopRedeployment(deps.db, actor);
  if (job !== null) return await viewOf(deps, job);
  throw new DomainError("conflict", "No redeployment is running.");
}

/** @throws DomainError `conflict` when there is nothing to go on with. */
export async function continueRedeployment(deps: Deps, actor: Actor): Promise<RedeployView> {
  const job = await deps.db.transaction((tx) => resumeRedeployment(tx, actor));
  if (job !== null) return await viewOf(deps, job);
  throw new DomainError("conflict", "There is no stopped redeployment to go on with.", {
    next: "Start one with POST /admin/workspaces/redeploy.",
  });
}

async function viewOf(deps: Deps, job: FleetJob): Promise<RedeployView> {
  const members = await readMembers(deps.db, job.id);
  const counts = Object.fromEntries(
    FLEET_ITEM_STATES.map((state) => [state, members.filter((one) => one.state === state).length]),
  ) as Record<FleetItemState, number>;
  return {
    id: job.id,
    status: job.status,
    runtime: job.runtime,
    batch: job.batch,
    deadline_at: job.deadlineAt?.toISOString() ?? null,
    total: members.length,
    counts,
    workspaces: members.map(({ workspaceId, name, state, note }) => ({
      id: workspaceId,
      name,
      state,
      note,
    })),
    progress: job.progress,
    error: job.failure?.sentence ?? null,
    next: job.failure?.next ?? null,
    asked_by: job.actorName,
    started_at: job.createdAt.toISOString(),
    ended_at: job.endedAt?.toISOString() ?? null,
  };
}
