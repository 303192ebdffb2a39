/**
 * `npm run model -- [--schedules 1000000] [--seed N] [--mutant M4]`: random interleavings of everything
 * that acts on a workspace, against the real rules. Ends with 1 when a promise was broken, and prints
 * the seed and the shortest schedule that breaks it.
 */
import { parseArgs } from "node:util";
import { exploreUntilBroken } from "./model/explore.ts";
import { MUTANTS } from "./model/mutants.ts";

const { values } = parseArgs({
  options: {
    schedules: { type: "string", default: "1000000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
    mutant: { type: "string" },
  },
});
const schedules = Number(values.schedules);
const seed = Number(values.seed);
const mutant = MUTANTS.find(({ id }) => id === values.mutant)?.id ?? null;
if (!(schedules > 0 && seed >= 0) || (values.mutant !== undefined && mutant === null)) {
  console.error("--schedules and --seed are numbers, --mutant is one of M1 to M20.");
  process.exit(2);
}

const PROGRESS_EVERY_MS = 5_000;
const startedAt = performance.now();
let toldAt = startedAt;
console.log(
  `model: ${schedules} schedules from seed ${seed}${mutant === null ? "" : ` with ${mutant}`}`,
);
const found = exploreUntilBroken({
  mutant,
  seed,
  schedules,
  onProgress: (done, attempts) => {
    const now = performance.now();
    if (now - toldAt < PROGRESS_EVERY_MS && done < schedules) return;
    toldAt = now;
    const rate = Math.round(done / ((now - startedAt) / 1_000));
    console.log(`${done} schedules, ${attempts} attempts, ${rate} schedules/s, 0 bad`);
  },
});
if (found === null) console.log(`all ${schedules} kept every promise (seed ${seed})`);
else {
  console.error(`seed ${found.seed} broke a promise: ${found.broken.detail}`);
  for (const { actor, r } of found.shortest) console.error(`  ${actor} ${r}`);
  process.exitCode = 1;
}
