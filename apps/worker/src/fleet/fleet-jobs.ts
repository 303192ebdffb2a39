import { type Claim, claimDue, releaseClaim } from "@molecule/db/claim";
import type { Database } from "@molecule/db/database";
import {
  actorOfJob,
  endFleetJob,
  type FleetJob,
  findFleetJob,
  tellFleetJob,
} from "@molecule/db/fleet/fleet-jobs";
import type { Pulse } from "@molecule/db/processes/pulse";
import type { PublicFailure } from "@molecule/domain/errors";
import { BackendError } from "../provisioning/compute-backend.ts";
import type { RestartSettings } from "../restart/settings.ts";
import { isStoreDown } from "../restart/store-down.ts";
import type { Log } from "../runtime/log.ts";
import { RunLoop } from "../runtime/run-loop.ts";
import type { Stoppable } from "../runtime/scope.ts";
import type { FleetImages } from "./fleet-images.ts";
import { whileLeased } from "./lease.ts";
import { redeployStep } from "./redeploy-step.ts";
import { refreshImages } from "./refresh-images.ts";

/** What the jobs over the fleet need. */
export interface FleetJobsOptions {
  readonly db: Database;
  /** Id of this worker; the owner of its leases. */
  readonly owner: string;
  /** Null where Docker is switched off. */
  readonly images: FleetImages | null;
  readonly settings: RestartSettings;
  readonly pulse?: Pulse | undefined;
  readonly log: Log;
}

/** One of each kind may run. */
const AT_THE_SAME_TIME = 2;
/** Progress lines are written down this often at most. */
const PROGRESS_EVERY_MS = 1_000;

/**
 * Carries out the jobs over the fleet, each under a lease: a job whose worker is gone is gone on with by
 * the next. What a job wants of a workspace it writes as a wish; the reconciler alone starts and stops.
 */
export class FleetJobs implements Stoppable {
  readonly #options: FleetJobsOptions;
  readonly #running = new Map<string, Promise<void>>();
  readonly #abort = new AbortController();
  readonly #loop: RunLoop;

  constructor(options: FleetJobsOptions) {
    this.#options = options;
    this.#loop = new RunLoop({
      name: "fleet",
      everyMs: options.settings.pollMs,
      run: () => this.#claimSome(),
      pulse: options.pulse,
      log: options.log,
    });
  }

  /** Work under way is broken off; its job is gone on with by the next worker. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    this.#abort.abort();
    await Promise.allSettled(this.#running.values());
  }

  async #claimSome(): Promise<void> {
    const { db, owner, settings } = this.#options;
    const limit = AT_THE_SAME_TIME - this.#running.size;
    if (limit <= 0) return;
    const claims = await claimDue(db, "fleet_jobs", { owner, leaseMs: settings.leaseMs, limit });
    for (const claim of claims) {
      const name = `${claim.id}:${claim.epoch}`;
      const done = this.#work(claim).finally(() => this.#running.delete(name));
      this.#running.set(name, done);
    }
  }

  /** Never rejects. */
  async #work(claim: Claim): Promise<void> {
    const { db, settings, log } = this.#options;
    try {
      await whileLeased(
        { db, log, leaseMs: settings.leaseMs, signal: this.#abort.signal },
        claim,
        async (signal) => {
          const job = await findFleetJob(db, claim.id);
          if (job === null || job.status !== "running") return;
          if (job.kind === "image_refresh") await this.#refresh(claim, job, signal);
          else await redeployStep({ db, settings }, claim);
        },
      );
    } catch (error) {
      log.warn({ err: error, job: claim.id }, "a job over the fleet was left as it is");
      await releaseClaim(db, claim).catch(() => undefined);
    }
  }

  async #refresh(claim: Claim, job: FleetJob, signal: AbortSignal): Promise<void> {
    const { db, images, settings, log } = this.#options;
    const why = images === null ? NO_DOCKER : await images.whyNot();
    if (images === null || why !== null) {
      const failure = { ...ENGINE_FAILURE, sentence: why ?? NO_DOCKER };
      await endFleetJob(db, claim, { status: "failed", progress: "", failure });
      return;
    }
    const deps = { db, images, settle: settings.lifecycle.settle, log };
    const request = { runtime: job.runtime, recreate: job.recreate, actor: actorOfJob(job) };
    let latest = job.result;
    try {
      const onProgress = this.#teller(claim);
      const onResult = async (result: NonNullable<FleetJob["result"]>) => {
        latest = result;
        if (!(await tellFleetJob(db, claim, { result }))) throw new Error("the lease was lost");
      };
      const progress = { signal, onProgress, onResult };
      const result = await refreshImages(deps, request, progress, job.result);
      await endFleetJob(db, claim, { status: "done", progress: "", result });
    } catch (error) {
      if (signal.aborted || isStoreDown(error)) throw error;
      log.error({ err: error, job: job.id }, "a refresh of the images failed");
      await endFleetJob(db, claim, {
        status: "failed",
        progress: "",
        failure: error instanceof BackendError ? error.failure : INTERNAL_FAILURE,
        ...(latest === null ? {} : { result: latest }),
      });
    }
  }

  #teller(claim: Claim): (line: string) => void {
    const { db, log } = this.#options;
    let toldAt = Number.NEGATIVE_INFINITY;
    return (line) => {
      if (performance.now() - toldAt < PROGRESS_EVERY_MS) return;
      toldAt = performance.now();
      tellFleetJob(db, claim, { progress: line }).catch((error: unknown) =>
        log.warn({ err: error }, "progress could not be told"),
      );
    };
  }
}

const NO_DOCKER = "Docker is switched off here.";
const ENGINE_FAILURE: Omit<PublicFailure, "sentence"> = {
  code: "engine_unavailable",
  next: "Start the Docker engine, or look at MOLECULE_BACKEND, and try again.",
};
const INTERNAL_FAILURE: PublicFailure = {
  code: "internal",
  sentence: "The images could not be refreshed.",
  next: "Try again. If it happens again, look at the worker's log.",
};
