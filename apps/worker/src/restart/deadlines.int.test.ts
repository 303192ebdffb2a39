import { describe, expect, it } from "vitest";
import type { FakePlatform } from "./fake-platform.ts";
import { useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, phaseIs, isReady, later } = bed;
const slow = { runtime_config: { provision_timeout_seconds: 1_200 } };

/** Milliseconds from the beginning of BOOTING to its deadline. */
async function bootLimitOf(id: string): Promise<number> {
  const [row] = await bed.sql`
    SELECT extract(epoch FROM w.deadline_at - (a.stages->-1->>'at')::timestamptz) * 1000 AS ms
    FROM workspaces w JOIN attempts a ON a.workspace_id = w.id AND a.no = w.current_attempt
    WHERE w.id = ${id} AND w.phase = 'BOOTING' AND a.stage = 'booting'`;
  return Math.round(Number(row?.ms) / 1_000) * 1_000;
}

async function booting(platform: FakePlatform, extra: Readonly<Record<string, unknown>>) {
  const id = await platform.createWorkspace({ extra });
  await phaseIs(platform, id, "BOOTING");
  return id;
}

describe("the deadline of a start", () => {
  it("P3: is what the configuration says, else ten minutes, and that is what ends the start", async () => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const patient = await booting(platform, slow);
    const usual = await booting(platform, {});
    expect([await bootLimitOf(patient), await bootLimitOf(usual)]).toEqual([1_200_000, 600_000]);
    await later(700_000);
    await phaseIs(platform, usual, "BACKOFF");
    expect((await platform.see(patient)).phase).toBe("BOOTING");
    await later(600_000);
    await phaseIs(platform, patient, "BACKOFF");
    const failed = (await platform.events(patient)).find(
      ({ event }) => event === "WORKSPACE_PROVISION_FAILED",
    );
    expect(failed?.payload).toMatchObject({
      timeout_secs: 1_200,
      source: "provision_timeout_sweep",
    });
  });

  it("P3: is the operator's when there is one", async () => {
    const platform = open({ agentsBeat: false, settings: { bootTimeoutMs: 42_000 } });
    platform.startWorker();
    expect(await bootLimitOf(await booting(platform, slow))).toBe(42_000);
  });
});

describe("the expected duration of a start", () => {
  it("P4: is the median of the latest starts of its runtime and backend, and unknown before one", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    const expected = async (no: number) => {
      const [row] = await bed.sql`
        SELECT expected_ms FROM attempts WHERE workspace_id = ${id} AND no = ${no}`;
      return row?.expected_ms;
    };
    expect(await expected(1)).toBeNull();
    // Three starts of 8, 9 and 30 s; others of another runtime, of another backend, and failed ones.
    const other = await platform.createWorkspace({ policy: "hold" });
    await isReady(platform, other, 1);
    await bed.sql`
      UPDATE workspaces SET runtime = 'claude-code', phase = 'PAUSED', intent = 'paused',
        next_action_at = NULL WHERE id = ${other}`;
    await bed.sql`UPDATE attempts SET created_at = ready_at - interval '9 s' WHERE workspace_id = ${id}`;
    await bed.sql`UPDATE attempts SET created_at = ready_at - interval '99 s' WHERE workspace_id = ${other}`;
    await platform.click(id);
    await isReady(platform, id, 2);
    expect(await expected(2)).toBe(9_000);
    await bed.sql`
      UPDATE attempts SET created_at = ready_at - interval '30 s' WHERE workspace_id = ${id} AND no = 2`;
    await platform.click(id);
    await isReady(platform, id, 3);
    await bed.sql`
      UPDATE attempts SET created_at = ready_at - interval '8 s' WHERE workspace_id = ${id} AND no = 3`;
    await platform.click(id);
    await isReady(platform, id, 4);
    expect(await expected(4)).toBe(9_000);
  });
});
