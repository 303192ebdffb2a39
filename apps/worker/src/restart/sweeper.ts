import type { Database } from "@molecule/db/database";
import { claimRemoval, markRemoved, readForSweep } from "@molecule/db/lifecycle/machines";
import { pruneLifecycle } from "@molecule/db/lifecycle/prune";
import { forgetDeadWorkers } from "@molecule/db/workers/worker-rows";
import { isMassRemoval, type ListedInstance, sweepVerdict } from "@molecule/domain/sweep";
import type { ComputeBackend, Instance } from "../provisioning/compute-backend.ts";
import type { Log } from "../runtime/log.ts";
import { RunLoop } from "../runtime/run-loop.ts";
import type { Stoppable } from "../runtime/scope.ts";
import type { RestartSettings } from "./settings.ts";

/** What the sweeper needs. */
export interface SweeperOptions {
  readonly db: Database;
  readonly backends: readonly ComputeBackend[];
  readonly settings: RestartSettings;
  readonly log: Log;
}

/** How often old rows are forgotten. */
const PRUNE_EVERY_MS = 6 * 3_600_000;

/** An instance with what is to be done about it. */
interface Judged {
  readonly instance: Instance;
  readonly listed: ListedInstance;
  readonly verdict: ReturnType<typeof sweepVerdict>;
}

/**
 * Removes instances that nobody wants any more: of older attempts, of deleted workspaces, of workspaces
 * nobody knows. Each pass lists the backend first and reads the database second. A backend that cannot
 * be listed is left alone. Remembers only since when it has seen an unknown instance.
 */
export class Sweeper implements Stoppable {
  readonly #options: SweeperOptions;
  readonly #loop: RunLoop;
  readonly #unknownSince = new Map<string, number>();
  #prunedAt: number | null = null;
  #isGuarding = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#loop = new RunLoop({
      name: "sweeper",
      everyMs: options.settings.sweepEveryMs,
      firstAfterMs: options.settings.sweepEveryMs,
      run: (signal) => this.sweep(signal),
      log: options.log,
    });
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  /** One pass over every backend; one that fails does not keep the others from being swept. */
  async sweep(signal: AbortSignal): Promise<void> {
    for (const backend of this.#options.backends) {
      try {
        await this.#sweepBackend(backend, signal);
      } catch (error) {
        this.#options.log.warn({ err: error, backend: backend.kind }, "a backend was not swept");
      }
    }
    await this.#prune();
  }

  async #sweepBackend(backend: ComputeBackend, signal: AbortSignal): Promise<void> {
    if (!(await backend.availability()).isAvailable) return;
    const instances = await backend.list();
    const judged = await this.#judge(backend, instances);
    const unwanted = judged.filter(({ verdict }) => verdict === "remove");
    const isMass = isMassRemoval(unwanted.length, instances.length);
    if (isMass && !this.#isGuarding) {
      this.#options.log.error(
        { backend: backend.kind, unwanted: unwanted.length, listed: instances.length },
        "the sweep would remove too many instances at once and removes none of them; is this the right database?",
      );
    }
    this.#isGuarding = isMass;
    for (const one of judged) {
      const isRemoved = one.verdict === "remove_deleted" || (one.verdict === "remove" && !isMass);
      if (isRemoved && !signal.aborted) await this.#remove(backend, one, signal);
    }
  }

  async #judge(
    backend: ComputeBackend,
    instances: readonly Instance[],
  ): Promise<readonly Judged[]> {
    const rows = await readForSweep(this.#options.db, backend.kind, instances);
    const now = performance.now();
    const present = new Set(instances.map((instance) => instance.providerId));
    for (const id of this.#unknownSince.keys()) {
      if (!present.has(id) || rows.has(id)) this.#unknownSince.delete(id);
    }
    return instances.map((instance) => {
      const row = rows.get(instance.providerId);
      const since = this.#unknownSince.get(instance.providerId) ?? now;
      if (row === undefined) this.#unknownSince.set(instance.providerId, since);
      const listed: ListedInstance = {
        providerId: instance.providerId,
        labelAttempt: instance.attemptNo,
        workspace: row ?? null,
        unknownForMs: now - since,
      };
      const verdict = sweepVerdict(listed, this.#options.settings.orphanGraceMs);
      return { instance, listed, verdict };
    });
  }

  async #remove(backend: ComputeBackend, one: Judged, signal: AbortSignal): Promise<void> {
    const { instance, listed } = one;
    const { db, log } = this.#options;
    const seen = listed.workspace?.machineAttempt ?? null;
    if (!(await claimRemoval(db, instance.providerId, seen))) return;
    try {
      await backend.remove(instance, signal);
      await markRemoved(db, instance.workspaceId, instance.attemptNo);
      if (one.verdict === "remove_deleted") await backend.removeVolumes(instance.workspaceId);
      log.info(
        { workspace: instance.workspaceId, attempt: instance.attemptNo, backend: backend.kind },
        "an instance nobody wants any more was removed",
      );
    } catch (error) {
      log.warn({ err: error, provider: instance.providerId }, "an instance could not be removed");
    }
  }

  async #prune(): Promise<void> {
    const now = performance.now();
    if (this.#prunedAt !== null && now - this.#prunedAt < PRUNE_EVERY_MS) return;
    this.#prunedAt = now;
    await pruneLifecycle(this.#options.db);
    await forgetDeadWorkers(this.#options.db);
  }
}
