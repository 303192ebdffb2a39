import { type Claim, claimDue, releaseClaim, renewLease } from "@molecule/db/claim";
import { isRetryableConflict } from "@molecule/db/database";
import { WORK_CHANNEL } from "@molecule/db/events/append-event";
import type { Pulse } from "@molecule/db/processes/pulse";
import type { Log } from "../runtime/log.ts";
import { RunLoop } from "../runtime/run-loop.ts";
import type { Stoppable } from "../runtime/scope.ts";
import { carryOut } from "./carry-out.ts";
import { decideStep, type StepDeps, type StepResult, type Work } from "./reconcile-step.ts";
import { recoverStep } from "./recover-step.ts";
import { isStoreDown } from "./store-down.ts";

/** More steps than a whole attempt has: a row that is still not done is given back to the queue. */
const MAX_STEPS = 24;
/** How long running steps may go on after `stop` before their backend calls are aborted. */
const FINISH_WITHIN_MS = 5_000;

/** What the reconciler needs. */
export interface ReconcilerOptions extends StepDeps {
  /** Id of this worker; the owner of its leases. */
  readonly owner: string;
  readonly pulse?: Pulse | undefined;
  readonly log: Log;
}

/**
 * Brings every workspace to what is wanted of it. Claims due rows by lease, and for each repeats: gather,
 * decide, carry out one step, until nothing is to be done now; several workspaces at once, one step of a
 * workspace at a time. Modes: running; stopping (claims nothing, lets running steps end, then aborts
 * them); stopped. A lost lease aborts its work, and everything it would still write is fenced off.
 */
export class Reconciler implements Stoppable {
  readonly #options: ReconcilerOptions;
  readonly #running = new Map<
    string,
    { readonly done: Promise<void>; readonly abort: () => void }
  >();
  readonly #loop: RunLoop;
  #isStopping = false;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#loop = new RunLoop({
      name: "reconciler",
      everyMs: options.settings.pollMs,
      run: () => this.#claimSome(),
      pulse: options.pulse,
      log: options.log,
    });
  }

  /** Starts claiming on every hint from the database besides polling. Resolves when listening. */
  async listen(): Promise<() => Promise<void>> {
    return await this.#options.db.listen(WORK_CHANNEL, () => this.#loop.wake());
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#loop.stop();
    const all = () => Promise.allSettled([...this.#running.values()].map(({ done }) => done));
    const patience = setTimeout(() => {
      for (const { abort } of this.#running.values()) abort();
    }, FINISH_WITHIN_MS);
    await all();
    clearTimeout(patience);
  }

  async #claimSome(): Promise<void> {
    const { db, owner, settings, failpoint } = this.#options;
    const limit = settings.concurrency - this.#running.size;
    if (limit <= 0 || this.#isStopping) return;
    const claims = await claimDue(db, "workspaces", { owner, leaseMs: settings.leaseMs, limit });
    if (this.#isStopping) {
      // Stopped while it claimed: others need not wait for a lease that nobody works under.
      for (const claim of claims) await releaseClaim(db, claim);
      return;
    }
    for (const claim of claims) this.#begin(claim);
    if (claims.length > 0) await failpoint("after_claim");
  }

  #begin(claim: Claim): void {
    const controller = new AbortController();
    // Named with its epoch: work that has lost its lease may still be ending when the next begins.
    const name = `${claim.id}:${claim.epoch}`;
    const done = this.#work(claim, controller).finally(() => {
      this.#running.delete(name);
      this.#loop.wake();
    });
    this.#running.set(name, { done, abort: () => controller.abort() });
  }

  /** Never rejects. */
  async #work(claim: Claim, controller: AbortController): Promise<void> {
    const { db, log, settings } = this.#options;
    const renewal = new RunLoop({
      name: "lease",
      everyMs: settings.leaseMs / 3,
      firstAfterMs: settings.leaseMs / 3,
      run: async () => {
        if (!(await renewLease(db, claim, settings.leaseMs))) controller.abort();
      },
      log,
    });
    const work: Work = {
      fence: { workspaceId: claim.id, epoch: claim.epoch, owner: claim.owner },
      signal: controller.signal,
      content: null,
    };
    try {
      const last = await this.#steps(work);
      if (last === "again") await releaseClaim(db, claim);
    } catch (error) {
      // The database is away or the work was aborted: the lease runs out and another claim goes on.
      log.warn({ err: error, workspace: claim.id }, "a claimed workspace was left as it is");
      await releaseClaim(db, claim).catch(() => undefined);
    } finally {
      await renewal.stop();
    }
  }

  async #steps(work: Work): Promise<StepResult> {
    let result: StepResult = "again";
    for (let count = 0; count < MAX_STEPS && result === "again"; count += 1) {
      if (work.signal.aborted || (this.#isStopping && count > 0)) return "again";
      result = await this.#step(work);
    }
    return result;
  }

  async #step(work: Work): Promise<StepResult> {
    try {
      const decided = await decideStep(this.#options, work);
      await this.#options.failpoint("after_begin");
      if (typeof decided === "string") return decided;
      return await carryOut(this.#options, work, decided);
    } catch (error) {
      if (work.signal.aborted || isStoreDown(error)) throw error;
      // Every step may be repeated; losing against another transaction is nobody's failure.
      if (isRetryableConflict(error)) return "again";
      return await recoverStep(this.#options, work, error);
    }
  }
}
