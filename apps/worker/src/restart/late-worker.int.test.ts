import { ENDED_WITH_PLATFORM } from "@molecule/db/lifecycle/held-workspace";
import { recordObservation } from "@molecule/db/lifecycle/observe";
import { describe, expect, it } from "vitest";
import { until, useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, isReady, isAtRest, attemptOf, phaseIs, gate, loseLease } = bed;

describe("what the model found", () => {
  it("G6: sweeps what a worker that lost its lease makes of a workspace that rests by then", async () => {
    // No renewal in the test's time: the worker does not learn that it has lost its lease.
    const platform = open({ settings: { leaseMs: 600_000 } });
    const late = gate();
    let isHeld = false;
    platform.startWorker(async (name) => {
      if (name !== "before_create" || isHeld) return;
      isHeld = true;
      await late.wait();
    });
    const id = await platform.createWorkspace();
    await until("the creation is held up", () => isHeld);
    await platform.intent(id, "pause");
    await loseLease(id);
    platform.startWorker();
    await phaseIs(platform, id, "PAUSED");
    late.open();
    await until("it is created late", () => platform.backend.running().length === 1);
    platform.startSweeper();
    await until("nothing of it runs", () => platform.backend.running().length === 0);
    expect(await platform.see(id)).toMatchObject({ phase: "PAUSED", intent: "paused" });
  });

  it("R25: what ended with the platform is no crash when a probe finds it gone before a worker acts", async () => {
    const platform = open();
    const worker = platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await isAtRest(platform, id);
    await worker.stop();
    platform.backend.crash({ workspaceId: id, attemptNo: 1 });
    const gone = { workspaceId: id, attemptNo: 1, kind: "gone" } as const;
    await recordObservation(bed.database.db, { ...gone, detail: ENDED_WITH_PLATFORM });
    await recordObservation(bed.database.db, { ...gone, detail: null });
    platform.startWorker();
    await isReady(platform, id, 2);
    expect(await attemptOf(platform, id, 2)).toMatchObject({ reason: "platform_upgrade" });
    expect(await platform.see(id)).toMatchObject({ crashCount: 0 });
  });
});
