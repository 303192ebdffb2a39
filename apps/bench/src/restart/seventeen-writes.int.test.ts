import { createTestDatabase } from "@molecule/testing/database";
import { expect, it } from "vitest";
import { runOurs } from "./ours.ts";
import { type RunResult, SCENARIOS, type Scenario } from "./scenarios.ts";

const IS_LONG = process.env.MOLECULE_TEST_LONG === "1";
const BURSTS = IS_LONG ? 500 : 20;
const BATCHES = IS_LONG ? 500 : 10;
/** Workspaces on one database. */
const AT_ONCE = 100;
const SEED = 20_261_121;

async function runsOf(scenario: Scenario, runs: number): Promise<readonly RunResult[]> {
  const results: RunResult[] = [];
  for (let at = 0; at < runs; at += AT_ONCE) {
    await using database = await createTestDatabase();
    const some = { runs: Math.min(AT_ONCE, runs - at), seed: SEED + at };
    results.push(...(await runOurs(database, scenario, some)));
  }
  expect(results.filter((one) => !one.isFinalCorrect || one.leaked > 0)).toEqual([]);
  const counted = new Map<number, number>();
  for (const { restarts } of results) counted.set(restarts, (counted.get(restarts) ?? 0) + 1);
  console.log(`${scenario.title}: restarts → runs ${JSON.stringify([...counted])}`);
  return results;
}

it("scoreboard R2: 17 writes in 60 s are one restart in at least 85 % of the runs, and never more than two", {
  timeout: 3_600_000,
}, async () => {
  const burst = SCENARIOS.find(({ id }) => id === "A");
  if (burst === undefined) throw new Error("invariant: there is scenario A");
  const results = await runsOf(burst, BURSTS);
  expect(Math.max(...results.map((one) => one.restarts))).toBeLessThanOrEqual(2);
  const once = results.filter((one) => one.restarts === 1).length;
  expect(once / results.length).toBeGreaterThanOrEqual(0.85);
});

it("scoreboard R2: the same 17 as one batch are one restart in every run", {
  timeout: 3_600_000,
}, async () => {
  const save: Scenario = {
    id: "batch",
    title: "17 files in one save",
    processes: 1,
    play: () => ({ writes: [{ at: 0, kind: "file", files: 17 }], boot: [20_000, 30_000] }),
  };
  const results = await runsOf(save, BATCHES);
  expect(new Set(results.map((one) => one.restarts))).toEqual(new Set([1]));
});
