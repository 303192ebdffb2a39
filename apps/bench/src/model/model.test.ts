import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exploreUntilBroken } from "./explore.ts";
import { MUTANTS } from "./mutants.ts";
import { runSchedule, scheduleOf, shorten } from "./schedule.ts";

/** What `npm test` runs; `npm run model -- --schedules 1000000` is the form for a night. */
const SCHEDULES = 20_000;
/** Each mutant is caught far earlier; the reference is clean in more than this. */
const MUTANT_SCHEDULES = 20_000;

describe("the reconciler's rules under random interleavings", () => {
  it("R21: keep every promise in every schedule", { timeout: 180_000 }, () => {
    const seed = Number(process.env.MOLECULE_MODEL_SEED ?? 20_261_121);
    let attempts = 0;
    let ignored = 0;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (drawn) => {
        const moves = scheduleOf(drawn);
        const { broken, ...seen } = runSchedule(moves, null);
        attempts += seen.attempts;
        ignored += seen.ignoredReports;
        if (broken !== null)
          throw new Error(JSON.stringify({ ...broken, moves: shorten(moves, null) }));
      }),
      // A smaller seed is no simpler schedule: it is shortened by leaving out moves instead.
      { seed, numRuns: SCHEDULES, endOnFailure: true },
    );
    expect(attempts).toBeGreaterThan(SCHEDULES);
    expect(ignored).toBeGreaterThan(100);
  });

  it("is the same run for the same seed", () => {
    const once = runSchedule(scheduleOf(7), null);
    expect(runSchedule(scheduleOf(7), null)).toEqual(once);
  });
});

describe("each wrong variant is caught", () => {
  for (const { id, does, breaks } of MUTANTS) {
    it(`${breaks}: ${id}, which ${does}`, { timeout: 180_000 }, () => {
      const found = exploreUntilBroken({ mutant: id, seed: 1, schedules: MUTANT_SCHEDULES });
      expect(found, `${id} survived ${MUTANT_SCHEDULES} schedules`).not.toBeNull();
      if (found === null) return;
      expect(found.shortest.length).toBeLessThanOrEqual(scheduleOf(found.seed).length);
      expect(runSchedule(found.shortest, id).broken?.promise).toBe(found.broken.promise);
    });
  }
});
