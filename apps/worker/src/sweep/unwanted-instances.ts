import type { Database } from "@molecule/db/database";
import {
  claimRemoval,
  markRemoved,
  readForSweep,
  recordListed,
  type SweptRow,
} from "@molecule/db/lifecycle/machines";
import { askLeave, withdrawHold } from "@molecule/db/sweep/holds";
import { isRemovalTold, tellSweep } from "@molecule/db/sweep/tell-sweep";
import {
  isMassRemoval,
  type ListedInstance,
  sweepGrounds,
  sweepVerdict,
} from "@molecule/domain/sweep";
import type { HoldEvidence } from "@molecule/domain/sweep-hold";
import type { ComputeBackend, Instance } from "../provisioning/compute-backend.ts";
import type { Log } from "../runtime/log.ts";
import { fenceStubborn } from "./fence-stubborn.ts";

/** What the pass needs. */
export interface UnwantedInstancesOptions {
  readonly db: Database;
  readonly log: Log;
  /** An instance of an unknown workspace is left alone for this long, in ms. */
  readonly orphanGraceMs: number;
  /** An instance that does not end for this long is fenced, in ms. */
  readonly fenceAfterMs: number;
}

/** An instance with what is to be done about it. */
interface Judged {
  readonly instance: Instance;
  readonly listed: ListedInstance;
  readonly row: SweptRow | null;
  readonly verdict: ReturnType<typeof sweepVerdict>;
}

/** Removals at the same time: one that does not end must not keep the others waiting. */
const AT_ONCE = 4;

/**
 * Removes instances that nobody wants any more: of older attempts, of deleted workspaces, of workspaces
 * nobody knows. Asks first when it would be too many at once. Remembers only since when it has seen an
 * instance that nobody knows.
 */
export class UnwantedInstances {
  readonly #options: UnwantedInstancesOptions;
  readonly #unknownSince = new Map<string, number>();

  constructor(options: UnwantedInstancesOptions) {
    this.#options = options;
  }

  /** One pass over a listing that was made just before. Answers which instances the database knows. */
  async sweep(
    backend: ComputeBackend,
    instances: readonly Instance[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, SweptRow>> {
    const rows = await readForSweep(this.#options.db, backend.kind, instances);
    const judged = this.#judge(backend, instances, rows);
    const doomed = judged.filter(({ verdict }) => verdict === "remove_deleted");
    const unwanted = judged.filter(({ verdict }) => verdict === "remove");
    // What was fenced was decided before; only its end is outstanding.
    const fenced = unwanted.filter(({ row }) => row?.isFenced === true);
    const asked = unwanted.filter(({ row }) => row?.isFenced !== true);
    const mayRemove = await this.#mayRemove(backend, asked, instances.length);
    await inGroups([...doomed, ...fenced, ...(mayRemove ? asked : [])], async (one) => {
      if (!signal.aborted) await this.#remove(backend, one, signal);
    });
    return rows;
  }

  #judge(
    backend: ComputeBackend,
    instances: readonly Instance[],
    rows: ReadonlyMap<string, SweptRow>,
  ): readonly Judged[] {
    const now = performance.now();
    const present = new Set(instances.map((instance) => instance.providerId));
    for (const id of this.#unknownSince.keys()) {
      if (!present.has(id) || rows.has(id)) this.#unknownSince.delete(id);
    }
    return instances.map((instance) => {
      const row = rows.get(instance.providerId) ?? null;
      const since = this.#unknownSince.get(instance.providerId) ?? now;
      if (row === null) this.#unknownSince.set(instance.providerId, since);
      const listed: ListedInstance = {
        providerId: instance.providerId,
        labelAttempt: instance.attemptNo,
        workspace: row,
        isAtRest: backend.machines !== undefined && instance.state === "exited",
        unknownForMs: now - since,
      };
      const verdict = sweepVerdict(listed, this.#options.orphanGraceMs);
      return { instance, listed, row, verdict };
    });
  }

  async #mayRemove(
    backend: ComputeBackend,
    unwanted: readonly Judged[],
    listed: number,
  ): Promise<boolean> {
    const { db, log } = this.#options;
    if (!isMassRemoval(unwanted.length, listed)) {
      await withdrawHold(db, backend.kind, "removals");
      return true;
    }
    const removals = unwanted.map((one) => ({
      providerId: one.instance.providerId,
      workspaceId: one.instance.workspaceId,
      attemptNo: one.instance.attemptNo,
      rule: sweepGrounds(one.listed).rule,
    }));
    const evidence: HoldEvidence = { kind: "removals", removals, listed };
    const leave = await db.transaction((tx) => askLeave(tx, backend.kind, evidence));
    if (leave === "allowed") return true;
    log.warn(
      { backend: backend.kind, unwanted: unwanted.length, listed },
      "the sweep would remove too many instances at once and waits for somebody to confirm it",
    );
    return false;
  }

  async #remove(backend: ComputeBackend, one: Judged, signal: AbortSignal): Promise<void> {
    const { instance, listed, row } = one;
    const { workspaceId, attemptNo, providerId } = instance;
    const { db, log, fenceAfterMs } = this.#options;
    if (backend.machines !== undefined && sweepGrounds(listed).rule === "G6") {
      // Only stopped: what it keeps is the workspace's, which may be resumed. SPEC: G17.
      await backend.machines.rest(instance, signal).catch((cause: unknown) => {
        log.warn({ err: cause, provider: providerId }, "a machine could not be stopped");
      });
      return;
    }
    if (row !== null) await recordListed(db, backend.kind, instance);
    const seen = row === null ? null : (row.machineAttempt ?? attemptNo);
    if (!(await claimRemoval(db, providerId, seen))) return;
    try {
      await backend.remove(instance, signal);
      if (one.verdict === "remove_deleted") await backend.removeVolumes(workspaceId);
      await this.#note(backend, instance, listed);
    } catch (error) {
      log.warn({ err: error, provider: providerId }, "an instance could not be removed");
      if (row === null || signal.aborted) return;
      const failed = { workspaceId, attemptNo, error, fenceAfterMs, signal };
      await fenceStubborn(db, backend, failed).catch((cause: unknown) => {
        log.warn({ err: cause, provider: providerId }, "an instance could not be fenced");
      });
    }
  }

  async #note(backend: ComputeBackend, instance: Instance, listed: ListedInstance): Promise<void> {
    const { rule, although } = sweepGrounds(listed);
    const { workspaceId, attemptNo, providerId } = instance;
    await this.#options.db.transaction(async (tx) => {
      const isNoted = await markRemoved(tx, workspaceId, attemptNo);
      // Another sweeper has told it.
      if (listed.workspace === null ? await isRemovalTold(tx, providerId) : !isNoted) return;
      await tellSweep(tx, {
        action: "instance_removed",
        rule,
        backend: backend.kind,
        workspaceId,
        evidence: {
          attempt: attemptNo,
          current_attempt: listed.workspace?.currentAttempt ?? null,
          provider_id: providerId,
          state: instance.state,
        },
        sentence: `An instance of attempt ${attemptNo} was still there although ${although}; it was removed.`,
      });
    });
  }
}

async function inGroups<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += AT_ONCE) {
    await Promise.all(items.slice(at, at + AT_ONCE).map(work));
  }
}
