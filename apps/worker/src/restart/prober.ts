import type { Database } from "@molecule/db/database";
import { ENDED_WITH_PLATFORM } from "@molecule/db/lifecycle/held-workspace";
import {
  type ExpectedRunning,
  listExpectedRunning,
  recordObservation,
} from "@molecule/db/lifecycle/observe";
import { markSilentExternals } from "@molecule/db/registry/liveness";
import type { ComputeBackend, Instance } from "../provisioning/compute-backend.ts";
import type { Log } from "../runtime/log.ts";
import { RunLoop } from "../runtime/run-loop.ts";
import type { Stoppable } from "../runtime/scope.ts";
import type { RestartSettings } from "./settings.ts";

/** What the prober needs. */
export interface ProberOptions {
  readonly db: Database;
  readonly backends: readonly ComputeBackend[];
  readonly settings: RestartSettings;
  /** Whether anything answers HTTP at host:port within a few seconds. Never throws. */
  readonly answersHttp: (address: string) => Promise<boolean>;
  readonly log: Log;
}

/**
 * Looks after READY workspaces only, and only writes down what it sees, bound to an attempt; acting is
 * the reconciler's. An instance missing from the list counts as gone when the backend confirms it. In
 * its first round, what is gone ended together with the platform and is no crash. A silent agent whose
 * instance runs is suspected, and counts as down only when it does not answer either.
 */
export class Prober implements Stoppable {
  readonly #options: ProberOptions;
  readonly #loop: RunLoop;
  readonly #unseen = new Set<ComputeBackend>();

  constructor(options: ProberOptions) {
    this.#options = options;
    for (const backend of options.backends) this.#unseen.add(backend);
    this.#loop = new RunLoop({
      name: "prober",
      everyMs: options.settings.probeEveryMs,
      run: () => this.probe(),
      log: options.log,
    });
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  /** One round over everything that is expected to run. */
  async probe(): Promise<void> {
    const { db, backends, settings, log } = this.#options;
    await db.transaction((tx) => markSilentExternals(tx));
    for (const backend of backends) {
      try {
        // The listing first: an instance made after it belongs to an attempt that is not READY yet.
        const listed = await this.#listed(backend);
        if (listed === null) continue;
        const expected = await listExpectedRunning(db, settings.silentAfterMs);
        const isFirst = this.#unseen.has(backend);
        for (const one of expected) {
          if (one.backend === backend.kind) await this.#probeOne(backend, one, { listed, isFirst });
        }
        // Only a whole round is a first round: what a failed one has left is still no crash.
        this.#unseen.delete(backend);
      } catch (error) {
        log.warn({ err: error, backend: backend.kind }, "a backend could not be probed");
      }
    }
  }

  async #listed(backend: ComputeBackend): Promise<ReadonlyMap<string, Instance> | null> {
    if (!(await backend.availability()).isAvailable) return null;
    const instances = await backend.list();
    return new Map(instances.map((one) => [`${one.workspaceId}/${one.attemptNo}`, one]));
  }

  async #probeOne(
    backend: ComputeBackend,
    one: ExpectedRunning,
    seen: { readonly listed: ReadonlyMap<string, Instance>; readonly isFirst: boolean },
  ): Promise<void> {
    const { db } = this.#options;
    const key = { workspaceId: one.workspaceId, attemptNo: one.attemptNo };
    const listed = seen.listed.get(`${one.workspaceId}/${one.attemptNo}`);
    if (listed?.state !== "running") {
      const confirmed = await backend.inspect(key);
      if (confirmed?.state === "running") return;
      await recordObservation(db, {
        ...key,
        kind: confirmed === null ? "gone" : "exited",
        detail: seen.isFirst ? ENDED_WITH_PLATFORM : (confirmed?.exit ?? null),
      });
    } else if (one.isSilent && !seen.isFirst) await this.#probeSilent(one, listed);
  }

  async #probeSilent(one: ExpectedRunning, instance: Instance): Promise<void> {
    const { db, answersHttp } = this.#options;
    const key = { workspaceId: one.workspaceId, attemptNo: one.attemptNo };
    const address = one.address ?? instance.address;
    const isAnswering = address !== null && (await answersHttp(address));
    if (!isAnswering) {
      await recordObservation(db, { ...key, kind: "unreachable", detail: null });
    } else if (one.health !== "suspected_down") {
      await recordObservation(db, { ...key, kind: "missed_heartbeat", detail: null });
    }
  }
}
