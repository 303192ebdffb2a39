import type { Database } from "@molecule/db/database";
import { PROBE_CHANNEL } from "@molecule/db/events/append-event";
import { ENDED_WITH_PLATFORM } from "@molecule/db/lifecycle/held-workspace";
import {
  type ExpectedRunning,
  endOutage,
  listExpectedRunning,
  recordObservation,
  tellOutage,
} from "@molecule/db/lifecycle/observe";
import type { Pulse } from "@molecule/db/processes/pulse";
import { markSilentExternals } from "@molecule/db/registry/liveness";
import type { PublicFailure } from "@molecule/domain/errors";
import { ENDED_WITH_ENGINE } from "@molecule/domain/explain";
import {
  BackendError,
  type ComputeBackend,
  type Instance,
} from "../provisioning/compute-backend.ts";
import type { Log } from "../runtime/log.ts";
import { RunLoop } from "../runtime/run-loop.ts";
import type { Stoppable } from "../runtime/scope.ts";
import { believesAbsence, otherMachine } from "../sweep/believe-absence.ts";
import type { RestartSettings } from "./settings.ts";

/** Hints bring rounds forward, at most this often: a flood of messages for a dead agent is no flood of probes. */
const HINT_GAP_MS = 500;

/** What the prober needs. */
export interface ProberOptions {
  readonly db: Database;
  readonly backends: readonly ComputeBackend[];
  readonly settings: RestartSettings;
  /** Whether anything answers HTTP at host:port within a few seconds. Never throws. */
  readonly answersHttp: (address: string) => Promise<boolean>;
  readonly pulse?: Pulse | undefined;
  readonly log: Log;
}

/**
 * Looks after READY workspaces only, and only writes down what it sees, bound to an attempt; acting is
 * the reconciler's. An instance missing from the list counts as gone when the backend confirms it. In
 * its first round, what is gone ended together with the platform and is no crash; nor is what is gone
 * after an outage of the backend, during which every agent that does not answer says so. A silent agent
 * whose instance runs is suspected, and counts as down only when it does not answer either.
 */
export class Prober implements Stoppable {
  readonly #options: ProberOptions;
  readonly #loop: RunLoop;
  readonly #unseen = new Set<ComputeBackend>();
  readonly #away = new Set<ComputeBackend>();
  /** How often each had ended at its last round. */
  readonly #ends = new Map<ComputeBackend, number>();
  /** Their machine was asked for while agents of ours ran on it. */
  readonly #vouched = new Set<ComputeBackend>();

  constructor(options: ProberOptions) {
    this.#options = options;
    for (const backend of options.backends) this.#unseen.add(backend);
    this.#loop = new RunLoop({
      name: "prober",
      everyMs: options.settings.probeEveryMs,
      wakeGapMs: Math.min(options.settings.probeEveryMs, HINT_GAP_MS),
      run: () => this.probe(),
      pulse: options.pulse,
      log: options.log,
    });
  }

  /** A message that found nobody brings the next round forward. Resolves with the end of that. */
  async listen(): Promise<() => Promise<void>> {
    return await this.#options.db.listen(PROBE_CHANNEL, () => this.#loop.wake());
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  /** One round over everything that is expected to run. */
  async probe(): Promise<void> {
    const { db, backends, log } = this.#options;
    await db.transaction((tx) => markSilentExternals(tx));
    for (const backend of backends) {
      try {
        await this.#probeBackend(backend);
      } catch (error) {
        log.warn({ err: error, backend: backend.kind }, "a backend could not be probed");
      }
    }
  }

  async #probeBackend(backend: ComputeBackend): Promise<void> {
    if (!backend.capabilities.list) {
      await this.#probeUnlisted(backend);
      return;
    }
    const { db, settings } = this.#options;
    // The listing first: an instance made after it belongs to an attempt that is not READY yet.
    const listed = await this.#listed(backend);
    const expected = await listExpectedRunning(db, settings.silentAfterMs);
    const ours = expected.filter((one) => one.backend === backend.kind);
    if (typeof listed === "string") {
      await this.#tellAway(backend, ours, engineAway(listed));
      return;
    }
    if (!(await this.#believes(backend, ours, listed))) {
      await this.#tellAway(backend, ours, otherMachine(backend));
      return;
    }
    for (const one of ours) {
      await this.#probeOne(backend, one, { listed, endedWith: this.#endedWith(backend, one) });
    }
    // Only a whole round is a first round: what a failed one has left is still no crash.
    this.#unseen.delete(backend);
    this.#away.delete(backend);
  }

  /**
   * Without a listing each instance is a call of its own, so the backend is asked only for agents that are
   * silent or do not answer. One that does not answer itself says nothing about them.
   */
  async #probeUnlisted(backend: ComputeBackend): Promise<void> {
    const { db, settings, answersHttp } = this.#options;
    const expected = await listExpectedRunning(db, settings.silentAfterMs);
    const ours = expected.filter((one) => one.backend === backend.kind);
    const isDoubtful = await Promise.all(
      ours.map(async ({ isSilent, address }) =>
        isSilent || address === null ? true : !(await answersHttp(address)),
      ),
    );
    for (const one of ours.filter((_, at) => isDoubtful[at])) {
      const key = { workspaceId: one.workspaceId, attemptNo: one.attemptNo };
      const found = await backend.inspect(key).catch((error: unknown) => {
        if (error instanceof BackendError) return error;
        throw error;
      });
      if (found instanceof BackendError) {
        await this.#tellOutage(one, found.failure);
      } else if (found?.state === "running") {
        if (one.isInOutage) await endOutage(db, one);
        if (one.isSilent) await this.#probeSilent(one, found);
      } else {
        const kind = found === null ? "gone" : "exited";
        await recordObservation(db, { ...key, kind, detail: found?.exit ?? null });
      }
    }
  }

  /** Together with what an instance ended that this round finds gone; null: by itself. */
  #endedWith(backend: ComputeBackend, one: ExpectedRunning): string | null {
    // Another worker may have seen the outage, or this one before it was started again.
    if (one.isInOutage) return ENDED_WITH_ENGINE;
    if (this.#unseen.has(backend)) return ENDED_WITH_PLATFORM;
    return this.#away.has(backend) ? ENDED_WITH_ENGINE : null;
  }

  /** What the backend runs, or why it cannot be asked, as a sentence. */
  async #listed(backend: ComputeBackend): Promise<ReadonlyMap<string, Instance> | string> {
    const { isAvailable, note } = await backend.availability();
    if (!isAvailable) return note;
    // Away between two rounds: its end was noticed though nobody asked it meanwhile.
    const ends = backend.ends?.() ?? 0;
    if (ends > (this.#ends.get(backend) ?? ends)) this.#away.add(backend);
    this.#ends.set(backend, ends);
    const instances = await backend.list();
    return new Map(instances.map((one) => [`${one.workspaceId}/${one.attemptNo}`, one]));
  }

  /**
   * Whether what the listing misses may count as gone. The machine is asked for once while agents of ours
   * run on it, so that it is known, and then whenever the listing has none of them. SPEC: G7.
   */
  async #believes(
    backend: ComputeBackend,
    ours: readonly ExpectedRunning[],
    listed: ReadonlyMap<string, Instance>,
  ): Promise<boolean> {
    if (ours.length === 0) return true;
    const listsKnown = ours.some((one) => listed.has(`${one.workspaceId}/${one.attemptNo}`));
    if (listsKnown && this.#vouched.has(backend)) return true;
    const absence = { listsKnown, expected: ours.length };
    const isBelieved = await believesAbsence(this.#options.db, backend, absence);
    if (isBelieved) this.#vouched.add(backend);
    return isBelieved;
  }

  async #tellAway(
    backend: ComputeBackend,
    ours: readonly ExpectedRunning[],
    failure: PublicFailure,
  ): Promise<void> {
    this.#away.add(backend);
    for (const one of ours) await this.#tellOutage(one, failure);
  }

  async #tellOutage(one: ExpectedRunning, failure: PublicFailure): Promise<void> {
    const { db, answersHttp } = this.#options;
    // An agent that can be spoken to is not down, whatever its engine does.
    if (one.address !== null && (await answersHttp(one.address))) {
      if (one.isInOutage) await endOutage(db, one);
      return;
    }
    await tellOutage(db, one, failure);
  }

  async #probeOne(
    backend: ComputeBackend,
    one: ExpectedRunning,
    seen: { readonly listed: ReadonlyMap<string, Instance>; readonly endedWith: string | null },
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
        detail: seen.endedWith ?? confirmed?.exit ?? null,
      });
      return;
    }
    if (one.isInOutage) await endOutage(db, one);
    if (one.isSilent && seen.endedWith === null) await this.#probeSilent(one, listed);
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

function engineAway(sentence: string): PublicFailure {
  return {
    code: "engine_unavailable",
    sentence,
    next: "What is saved is kept. The agent is started again by itself once the engine runs.",
  };
}
