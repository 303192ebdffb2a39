import { createTestDatabase } from "@molecule/testing/database";
import { expect, it } from "vitest";
import { randomFrom } from "../../../worker/src/restart/agenda.fixture.ts";
import { brokenPromises, linesOf } from "./compare.ts";
import { runOurs } from "./ours.ts";
import { runStrategy, STRATEGIES } from "./predecessor.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";

const IS_LONG = process.env.MOLECULE_TEST_LONG === "1";

/** F and G are long; the bench has them. */
const SHORT = SCENARIOS.filter(({ id }) => id !== "F" && id !== "G");

/** Every scenario beside every other on one platform, as workspaces do not know of each other. */
const MIXED: Scenario = {
  id: "all",
  title: "a scenario for each workspace",
  processes: 2,
  play: (random) => {
    const one = SHORT[Math.floor(random() * SHORT.length)];
    if (one === undefined) throw new Error("invariant: there are scenarios");
    return one.play(random);
  },
};

it("our reconciler keeps every promise in all scenarios at once", {
  timeout: 600_000,
}, async () => {
  await using database = await createTestDatabase();
  const results = await runOurs(database, MIXED, { runs: IS_LONG ? 200 : 12, seed: 1 });
  expect(brokenPromises("all", { name: "ours", results })).toEqual([]);
  expect(results.some((one) => one.writes === 17)).toBe(true);
});

it("tells a table's broken promises, and nothing of one that keeps all", () => {
  const [burst] = SCENARIOS;
  if (burst === undefined) throw new Error("invariant: there are scenarios");
  const columns = STRATEGIES.map((name) => ({
    name,
    results: Array.from({ length: 20 }, (_, seed) => runStrategy(name, burst, randomFrom(seed))),
  }));
  const last = columns.at(-1);
  expect(last && brokenPromises("A", last)).toEqual([
    "A: 20 runs ended on an old generation",
    "A: 20 runs lost a write",
  ]);
  expect(linesOf("A", columns)[0]).toMatch(/^\| A: restarts, mean \(max\) \| \d/);
});
