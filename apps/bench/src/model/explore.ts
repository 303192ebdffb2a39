import type { MutantId } from "./mutants.ts";
import { type Broken, type Move, runSchedule, scheduleOf, shorten } from "./schedule.ts";

/** What is explored: schedules of consecutive seeds. */
export interface Exploration {
  /** Null: the reference. */
  readonly mutant: MutantId | null;
  readonly seed: number;
  readonly schedules: number;
  /** Called after every thousand schedules. */
  readonly onProgress?: (done: number, attempts: number) => void;
}

/** The first schedule that broke a promise. */
export interface Found {
  readonly seed: number;
  readonly broken: Broken;
  /** The same with every move left out that it does not need. */
  readonly shortest: readonly Move[];
}

/** Null when every schedule kept every promise. */
export function exploreUntilBroken(of: Exploration): Found | null {
  let attempts = 0;
  for (let done = 0; done < of.schedules; done += 1) {
    const seed = (of.seed + done) >>> 0;
    const moves = scheduleOf(seed);
    const outcome = runSchedule(moves, of.mutant);
    attempts += outcome.attempts;
    if (outcome.broken !== null) {
      return { seed, broken: outcome.broken, shortest: shorten(moves, of.mutant) };
    }
    if (done % 1_000 === 999) of.onProgress?.(done + 1, attempts);
  }
  return null;
}
