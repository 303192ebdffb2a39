import { describe, expect, it } from "vitest";
import { type ChaosOptions, type ChaosResult, runChaos } from "./chaos-run.ts";
import { hasEngine } from "./instances.ts";

const isLong = process.env.MOLECULE_TEST_LONG === "1";

function isKept(result: ChaosResult): void {
  const { failedWrites, lost, notApplied, strays, unexplained, leftAfterDelete } = result;
  expect({ failedWrites, lost, notApplied, strays, unexplained, leftAfterDelete }).toEqual({
    failedWrites: [],
    lost: [],
    notApplied: [],
    strays: [],
    unexplained: [],
    leftAfterDelete: [],
  });
}

async function run(options: Omit<ChaosOptions, "seed" | "say">): Promise<ChaosResult> {
  const seed = Date.now() % 1_000_000;
  process.stderr.write(`chaos seed ${seed}\n`);
  return await runChaos({ ...options, seed, say: () => undefined });
}

describe("the built product under random writes and a worker that dies by kill -9", () => {
  it("loses nothing, rests at what is wanted and leaves nothing behind", async () => {
    const size = isLong
      ? { writes: 200, kills: 20, workspaces: 5 }
      : { writes: 30, kills: 3, workspaces: 2 };
    const result = await run({ backend: "process", ...size });
    expect(result).toMatchObject({ acknowledged: size.writes, kills: size.kills });
    expect(result.killsInRestart).toBeGreaterThan(0);
    isKept(result);
  }, 600_000);

  it.runIf(isLong && hasEngine())(
    "keeps the same promises with containers",
    async () => {
      const result = await run({ backend: "docker", writes: 50, kills: 5, workspaces: 4 });
      expect(result).toMatchObject({ acknowledged: 50, kills: 5 });
      isKept(result);
    },
    600_000,
  );
});
