import type { Database } from "@molecule/db/database";
import type { Pulse } from "@molecule/db/processes/pulse";
import { findDueSchedules, fireDue, postponeSchedule } from "@molecule/db/schedules/fire-schedule";
import type { Log } from "../runtime/log.ts";
import { RunLoop } from "../runtime/run-loop.ts";
import type { Stoppable } from "../runtime/scope.ts";

/** What the scheduler needs. */
export interface SchedulerOptions {
  readonly db: Database;
  /** Time between two looks for schedules whose time has come, in ms. */
  readonly everyMs: number;
  readonly pulse?: Pulse | undefined;
  readonly log: Log;
  /** Hears of each step of a firing, within its transaction; for tests that end a worker there. */
  readonly onStep?: (step: "found" | "fired", scheduleId: string) => Promise<void>;
}

/** Schedules looked at per query. Source: wire contract §13. */
const BATCH = 50;
/** A schedule that could not be fired is looked at again after this. */
const POSTPONE_MS = 60_000;

/**
 * Fires schedules whose time has come. Any number of workers may: each firing is one transaction under
 * the schedule's row lock, which queues the message and moves the time on. One schedule that cannot be
 * fired keeps no other from it. SPEC: SC5 to SC9, SC13.
 */
export class Scheduler implements Stoppable {
  readonly #options: SchedulerOptions;
  readonly #loop: RunLoop;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#loop = new RunLoop({
      name: "scheduler",
      everyMs: options.everyMs,
      run: (signal) => this.#round(signal),
      pulse: options.pulse,
      log: options.log,
    });
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  async #round(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const due = await findDueSchedules(this.#options.db, BATCH);
      let fired = 0;
      for (const id of due) {
        if (signal.aborted) return;
        if (await this.#fire(id)) fired += 1;
      }
      // What is left belongs to another worker, or is looked at again in the next round.
      if (due.length < BATCH || fired === 0) return;
    }
  }

  /** False when another worker has it, or it was postponed. */
  async #fire(id: string): Promise<boolean> {
    const { db, log, onStep } = this.#options;
    await onStep?.("found", id);
    try {
      return await db.transaction(async (tx) => {
        const fired = await fireDue(tx, id);
        await onStep?.("fired", id);
        if (fired?.kind === "skipped") log.info({ schedule: id, reason: fired.reason }, "skipped");
        return fired !== null;
      });
    } catch (error) {
      log.warn({ err: error, schedule: id }, "a schedule could not be fired; it is tried again");
      await postponeSchedule(db, id, POSTPONE_MS);
      return false;
    }
  }
}
