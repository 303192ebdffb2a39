import { recordObservation } from "@molecule/db/lifecycle/observe";
import { OBSERVATION_KINDS } from "@molecule/domain/sets";
import { expect, it } from "vitest";
import { useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();
const IS_LONG = process.env.MOLECULE_TEST_LONG === "1";
const RESTARTS = IS_LONG ? 200 : 8;
/** Reports on each restart, of every kind and of this and the attempt before it. */
const REPORTS = IS_LONG ? 50 : 12;

it("a storm of probes starts nothing while restarts are under way", {
  timeout: 600_000,
}, async () => {
  const platform = bed.open({ agentsBeat: false });
  platform.startWorker();
  const prober = platform.startProber(async () => false);
  const id = await platform.createWorkspace();
  let acted = 0;
  for (let attempt = 1; attempt <= RESTARTS + 1; attempt += 1) {
    await bed.isBooting(platform, id, attempt);
    const reports = Array.from({ length: REPORTS }, async (_, n) => {
      const kind = OBSERVATION_KINDS[n % OBSERVATION_KINDS.length] ?? "gone";
      const attemptNo = Math.max(1, attempt - (n % 2));
      const seen = { workspaceId: id, attemptNo, kind, detail: null };
      if (await recordObservation(bed.database.db, seen)) acted += 1;
    });
    await Promise.all([...reports, prober.probe()]);
    expect((await platform.see(id)).attempt).toBe(attempt);
    expect(await platform.beat({ workspaceId: id, attemptNo: attempt })).toBe(200);
    await bed.isReady(platform, id, attempt);
    if (attempt <= RESTARTS) await platform.click(id);
  }
  await bed.isAtRest(platform, id);
  const counted = new Map<string, number>();
  for (const { reason } of await platform.attempts(id)) {
    counted.set(reason, (counted.get(reason) ?? 0) + 1);
  }
  expect(Object.fromEntries(counted)).toEqual({ create: 1, user: RESTARTS });
  expect(acted).toBe(0);
});
