import { describe, expect, it } from "vitest";
import { randomFrom } from "../../../worker/src/restart/agenda.fixture.ts";
import { runStrategy, type Strategy } from "./predecessor.ts";
import { type RunResult, SCENARIOS } from "./scenarios.ts";

const RUNS = 300;

function play(strategy: Strategy, id: string): readonly RunResult[] {
  const scenario = SCENARIOS.find((one) => one.id === id);
  if (scenario === undefined) throw new Error(`no scenario ${id}`);
  return Array.from({ length: RUNS }, (_, seed) =>
    runStrategy(strategy, scenario, randomFrom(seed)),
  );
}

const restarts = (results: readonly RunResult[]) =>
  results.reduce((all, one) => all + one.restarts, 0) / results.length;
const share = (results: readonly RunResult[], is: (one: RunResult) => boolean) =>
  results.filter(is).length / results.length;
const losing = (one: RunResult) => one.lost > 0;

/** Restarts on average and share of runs that lose a write, as lifecycle A1 has them. */
const FIGURES: readonly (readonly [Strategy, string, number, number])[] = [
  ["S0", "A", 6.7, 0.196],
  ["S1", "A", 9.8, 0],
  ["S2", "A", 1, 1],
  ["S3", "A", 1, 1],
  ["S1", "B", 11.1, 0],
  ["S2", "B", 2, 0],
  ["S0", "C", 1, 0],
  ["S1", "C", 2, 0],
  ["S0", "C2", 1.42, 0.191],
  ["S2", "C2", 1, 0.608],
  ["S0", "D", 2, 0],
  ["S3", "D", 1, 1],
  ["S0", "E", 39.9, 0],
  ["S2", "E", 1, 0],
  ["S0", "G", 38, 0.23],
  ["S1", "G", 52, 0],
  ["S3", "G", 5, 1],
  ["S2", "H", 2, 1],
  ["S3", "K", 2, 0],
];

describe("the predecessor's algorithms, from their description", () => {
  it.each(FIGURES)("%s in scenario %s does what the model of A1 counted", (...figure) => {
    const [strategy, id, mean, lost] = figure;
    const results = play(strategy, id);
    expect(restarts(results)).toBeGreaterThan(mean * 0.9 - 0.05);
    expect(restarts(results)).toBeLessThan(mean * 1.1 + 0.05);
    expect(Math.abs(share(results, losing) - lost)).toBeLessThan(0.08);
  });

  it("fire on their own boot when it is longer than their window", () => {
    for (const strategy of ["S2", "S3"] as const) {
      expect(Math.max(...play(strategy, "F").map((one) => one.restartsByProbe))).toBe(14);
    }
    expect(Math.max(...play("S2", "E").map((one) => one.restartsByProbe))).toBe(0);
  });

  it("leak where two cycles overlap, and where a process dies before it has noted the id", () => {
    for (const [strategy, id] of [
      ["S0", "H"],
      ["S3", "K"],
      ["S3", "J"],
    ] as const) {
      expect(share(play(strategy, id), (one) => one.leaked > 0)).toBeGreaterThan(0.05);
    }
    expect(share(play("S3", "A"), (one) => one.leaked > 0)).toBe(0);
  });

  it("lose the write at T+65 s in S3, as the files of 15 s count once", () => {
    const lost = share(play("S3", "B"), losing);
    expect(lost).toBeGreaterThan(0.35);
    expect(share(play("S2", "B"), losing)).toBe(0);
  });

  it("are the same run for the same seed", () => {
    expect(play("S3", "H")).toEqual(play("S3", "H"));
  });
});
