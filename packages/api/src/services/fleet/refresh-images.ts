import type { RefreshResult } from "@molecule/contracts/fleet";
import {
  addFleetJob,
  type FleetJob,
  findFleetJob,
  latestFleetJob,
} from "@molecule/db/fleet/fleet-jobs";
import { listLiveWorkers } from "@molecule/db/workers/live-workers";
import { DomainError } from "@molecule/domain/errors";
import type { Actor, Runtime } from "@molecule/domain/sets";
import type { Deps } from "../../deps.ts";

/** A refresh as somebody asks for it. */
export interface RefreshWish {
  /** Null: every runtime. */
  readonly runtime: Runtime | null;
  /** Workspaces on an older image start again. */
  readonly recreate: boolean;
}

/** A refresh as it is now. */
export interface RefreshView extends RefreshResult {
  readonly id: string;
  readonly status: FleetJob["status"];
  readonly runtime: Runtime | null;
  readonly recreate: boolean;
  /** What is being done, for a person; empty before the first and after the last. */
  readonly progress: string;
  readonly error: string | null;
  readonly asked_by: string;
  readonly started_at: string;
  readonly ended_at: string | null;
}

/** A pull may take as long as the engine gives it. */
const WAIT_AT_MOST_MS = 15 * 60_000;
const LOOK_EVERY_MS = 200;
const NOTHING: RefreshResult = { pulled: [], failed: [], recreated: [] };

/**
 * Has a worker refresh the images and waits for the end. The same wish while it runs is one refresh; it
 * goes on without whoever waits.
 * @throws DomainError `platform_unavailable` without a Docker engine, `conflict` while another one runs,
 * `internal` with `partial_result`.
 */
export async function refreshImages(
  deps: Deps,
  actor: Actor,
  wish: RefreshWish,
): Promise<RefreshResult> {
  await requireDocker(deps);
  const { id } = await joinOrStart(deps, actor, wish);
  const until = deps.now().getTime() + WAIT_AT_MOST_MS;
  for (;;) {
    const job = await findFleetJob(deps.db, id);
    if (job === null) throw new Error("invariant: a job is never removed while somebody waits");
    if (job.status === "done") return job.result ?? NOTHING;
    if (job.status !== "running") throw failureOf(job);
    if (deps.now().getTime() > until) {
      throw new DomainError("internal", "The images are still being refreshed.", {
        next: "Look at it with GET on the same address.",
        details: { partial_result: job.result ?? NOTHING },
      });
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** The refresh under way, or else the last one; null before the first. */
export async function readRefresh(deps: Deps): Promise<RefreshView | null> {
  const job = await latestFleetJob(deps.db, "image_refresh");
  return job === null ? null : viewOf(job);
}

/**
 * The refresh under way when it is the same wish, or else a new one.
 * @throws DomainError `conflict` while another one runs.
 */
export async function joinOrStart(deps: Deps, actor: Actor, wish: RefreshWish): Promise<FleetJob> {
  const added = await deps.db.transaction((tx) =>
    addFleetJob(tx, { kind: "image_refresh", actor, ...wish }),
  );
  if (added !== null) return added;
  const running = await latestFleetJob(deps.db, "image_refresh");
  // It ended in between.
  if (running === null || running.status !== "running") return joinOrStart(deps, actor, wish);
  if (running.runtime === wish.runtime && running.recreate === wish.recreate) return running;
  throw new DomainError("conflict", "Another refresh of the images is running.", {
    next: "Wait for its end, and try again.",
    details: { running: viewOf(running) },
  });
}

async function requireDocker(deps: Deps): Promise<void> {
  const workers = await listLiveWorkers(deps.db);
  const docker = workers.flatMap(({ info }) =>
    (info?.backends ?? []).filter(({ name }) => name === "docker"),
  );
  if (docker.some(({ isAvailable }) => isAvailable)) return;
  const note = docker[0]?.note ?? "Docker is switched off here.";
  const sentence = workers.length === 0 ? "No worker is running right now." : note;
  throw new DomainError("platform_unavailable", sentence, {
    next: "Images are refreshed where a Docker engine answers.",
  });
}

function failureOf(job: FleetJob): DomainError {
  const { failure, result } = job;
  const code = failure?.code === "engine_unavailable" ? "platform_unavailable" : "internal";
  const sentence = failure?.sentence ?? "The refresh was stopped.";
  return new DomainError(code, sentence, {
    ...(failure === null ? {} : { next: failure.next }),
    details: code === "internal" ? { partial_result: result ?? NOTHING } : {},
  });
}

function viewOf(job: FleetJob): RefreshView {
  return {
    id: job.id,
    status: job.status,
    runtime: job.runtime,
    recreate: job.recreate,
    progress: job.progress,
    ...(job.result ?? NOTHING),
    error: job.failure?.sentence ?? null,
    asked_by: job.actorName,
    started_at: job.createdAt.toISOString(),
    ended_at: job.endedAt?.toISOString() ?? null,
  };
}
