import { expect, it } from "vitest";
import { runCycles } from "./cycles/run.ts";
import { hasEngine } from "./instances.ts";

const isLong = process.env.MOLECULE_TEST_LONG === "1";
type Case = readonly ["process" | "docker", number];
const DOCKER: readonly Case[] = hasEngine() ? [["docker", 100]] : [];
const CASES: readonly Case[] = isLong ? [["process", 1000], ...DOCKER] : [["process", 8]];

it.each(CASES)(
  "create, restart and delete on %s leave nothing behind, %i times",
  async (backend, cycles) => {
    const result = await runCycles({ backend, cycles, abreast: 4, say: () => undefined });
    const { failed, left, newEntries, before, after } = result;
    expect({ failed, left, newEntries }).toEqual({ failed: [], left: [], newEntries: [] });
    expect(result.attempts).toBe(2 * cycles);
    after.forEach((now, i) => {
      expect(now.files - (before[i]?.files ?? 0)).toBeLessThanOrEqual(Math.max(8, cycles / 100));
    });
  },
  3_600_000,
);
