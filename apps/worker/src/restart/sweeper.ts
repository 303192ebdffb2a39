import type { Database } from "@molecule/db/database";
import { listFenced } from "@molecule/db/lifecycle/machine-memory";
import { markRemoved } from "@molecule/db/lifecycle/machines";
import { pruneLifecycle } from "@molecule/db/lifecycle/prune";
import type { Pulse } from "@molecule/db/processes/pulse";
import { countMachines } from "@molecule/db/sweep/fences";
import { pruneHolds } from "@molecule/db/sweep/holds";
import { restoreTimers } from "@molecule/db/sweep/lost-timers";
import { revokeStaleTokens } from "@molecule/db/sweep/stale-tokens";
import { forgetDeadWorkers } from "@molecule/db/workers/worker-rows";
import { BackendError, type ComputeBackend } from "../provisioning/compute-backend.ts";
import type { Log } from "../runtime/log.ts";
import { RunLoop } from "../runtime/run-loop.ts";
import type { Stoppable } from "../runtime/scope.ts";
import { believesAbsence } from "../sweep/believe-absence.ts";
import { UnwantedInstances } from "../sweep/unwanted-instances.ts";
import { noteGoneMachines } from "../sweep/waiting-machines.ts";
import type { RestartSettings } from "./settings.ts";

/** What the sweeper needs. */
export interface SweeperOptions {
  readonly db: Database;
  readonly backends: readonly ComputeBackend[];
  readonly settings: RestartSettings;
  readonly pulse?: Pulse | undefined;
  readonly log: Log;
}

/** How often old rows are forgotten. */
const PRUNE_EVERY_MS = 6 * 3_600_000;

/**
 * Puts right what no step of the reconciler has left as it should be: tokens, timers, instances. What is
 * in the database alone is swept with and without a backend; each backend's instances are listed first
 * and the database is read second, and a backend that cannot be listed is left alone.
 */
export class Sweeper implements Stoppable {
  readonly #options: SweeperOptions;
  readonly #instances: UnwantedInstances;
  readonly #loop: RunLoop;
  #prunedAt: number | null = null;

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#instances = new UnwantedInstances({ ...options.settings, ...options });
    this.#loop = new RunLoop({
      name: "sweeper",
      everyMs: options.settings.sweepEveryMs,
      firstAfterMs: options.settings.sweepEveryMs,
      run: (signal) => this.sweep(signal),
      pulse: options.pulse,
      log: options.log,
    });
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  /** One pass over everything; a part that fails does not keep the others from being swept. */
  async sweep(signal: AbortSignal): Promise<void> {
    const { db, backends } = this.#options;
    await this.#part("tokens", () => db.transaction(revokeStaleTokens));
    await this.#part("timers", () => db.transaction(restoreTimers));
    for (const backend of backends) {
      await this.#part(backend.kind, () => this.#sweepBackend(backend, signal));
    }
    await this.#part("old rows", () => this.#prune());
  }

  async #part(part: string, run: () => Promise<unknown>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#options.log.warn({ err: error, part }, "a part was not swept");
    }
  }

  async #sweepBackend(backend: ComputeBackend, signal: AbortSignal): Promise<void> {
    const { db } = this.#options;
    if (!backend.capabilities.list) {
      await this.#removeFenced(backend, signal);
      return;
    }
    if (!(await backend.availability()).isAvailable) return;
    const instances = await backend.list();
    const rows = await this.#instances.sweep(backend, instances, signal);
    const listsKnown = [...rows.values()].some(({ machineAttempt }) => machineAttempt !== null);
    const expected = await countMachines(db, backend.kind);
    if (!(await believesAbsence(db, backend, { listsKnown, expected }))) return;
    if (!signal.aborted) await noteGoneMachines(db, backend, instances);
  }

  /** Without a listing only what was fenced is outstanding: the reconciler waits for everything else. SPEC: G11. */
  async #removeFenced(backend: ComputeBackend, signal: AbortSignal): Promise<void> {
    const { db, log } = this.#options;
    for (const key of await listFenced(db, backend.kind)) {
      try {
        await backend.remove(key, signal);
        await markRemoved(db, key.workspaceId, key.attemptNo);
      } catch (error) {
        if (!(error instanceof BackendError)) throw error;
        log.warn({ err: error, ...key }, "what was fenced is still there");
      }
    }
  }

  async #prune(): Promise<void> {
    const now = performance.now();
    if (this.#prunedAt !== null && now - this.#prunedAt < PRUNE_EVERY_MS) return;
    this.#prunedAt = now;
    await pruneLifecycle(this.#options.db);
    await pruneHolds(this.#options.db);
    await forgetDeadWorkers(this.#options.db);
  }
}
