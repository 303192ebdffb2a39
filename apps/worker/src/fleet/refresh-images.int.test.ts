import { randomUUID } from "node:crypto";
import { addFleetJob, findFleetJob } from "@molecule/db/fleet/fleet-jobs";
import { afterEach, describe, expect, it } from "vitest";
import { FakeBackend } from "../provisioning/fake-backend.ts";
import { ADA, type FakePlatform } from "../restart/fake-platform.ts";
import { until, useRestartBed } from "../restart/restart-bed.fixture.ts";
import { SILENT_LOG } from "../runtime/log.ts";
import { createFakeFleetImages, type FakeFleetImages } from "./fake-fleet-images.ts";
import { FleetJobs } from "./fleet-jobs.ts";

describe("a refresh of the images", () => {
  const bed = useRestartBed();
  const workers: FleetJobs[] = [];
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.stop();
    await bed.sql`DELETE FROM fleet_jobs`;
  });

  function openPlatform(): { platform: FakePlatform; images: FakeFleetImages } {
    const platform = bed.open({ backend: new FakeBackend("docker") });
    return { platform, images: createFakeFleetImages(platform.backend) };
  }

  function startWorker(platform: FakePlatform, images: FakeFleetImages): FleetJobs {
    const { settings } = platform;
    const options = { db: bed.database.db, owner: randomUUID(), log: SILENT_LOG };
    const worker = new FleetJobs({ ...options, images, settings });
    workers.push(worker);
    return worker;
  }

  async function ask(recreate = true): Promise<string> {
    const job = await bed.database.db.transaction((tx) =>
      addFleetJob(tx, { kind: "image_refresh", runtime: null, actor: ADA, recreate }),
    );
    if (job === null) throw new Error("a refresh runs already");
    return job.id;
  }

  async function ended(id: string) {
    await until(`the refresh ${id} has ended`, async () => {
      return (await findFleetJob(bed.database.db, id))?.status !== "running";
    });
    const job = await findFleetJob(bed.database.db, id);
    if (job === null) throw new Error("the job is gone");
    return job;
  }

  it("I8 I9 pulls what it can, and starts again what runs on an older image, with its reason", async () => {
    const { platform, images } = openPlatform();
    platform.startWorker();
    const old = await platform.createWorkspace();
    const resting = await platform.createWorkspace();
    await bed.isReady(platform, old, 1);
    await bed.isReady(platform, resting, 1);
    await platform.intent(resting, "pause");
    await bed.phaseIs(platform, resting, "PAUSED");
    images.publish("demo", "second");
    const newer = await platform.createWorkspace();
    await bed.isReady(platform, newer, 1);
    images.refused.add("claude-code");
    startWorker(platform, images);
    const job = await ended(await ask());
    expect(job.status).toBe("done");
    expect(job.result).toEqual({ pulled: ["demo"], failed: ["claude-code"], recreated: [old] });
    await bed.isReady(platform, old, 2);
    expect(await bed.attemptOf(platform, old, 2)).toMatchObject({
      reason: "image",
      actor: "Ada",
      sentence: "a newer runtime image, asked for by Ada",
    });
    const again = await ended(await ask());
    expect(again.result?.recreated).toEqual([]);
    await bed.isAtRest(platform, old);
    expect((await platform.see(old)).attempt).toBe(2);
    expect((await platform.see(newer)).attempt).toBe(1);
    expect((await platform.see(resting)).attempt).toBe(1);
  }, 60_000);

  it("I9 is one restart however often it is asked for, and one more for an image that is newer still", async () => {
    const { platform, images } = openPlatform();
    const gate = bed.gate();
    platform.startWorker();
    const id = await platform.createWorkspace({ policy: "hold" });
    await bed.isReady(platform, id, 1);
    startWorker(platform, images);
    images.publish("demo", "second");
    for (const _time of [1, 2, 3]) {
      expect((await ended(await ask())).result?.recreated).toEqual([id]);
    }
    expect((await platform.see(id)).desired).toBe(2);
    platform.backend.before("inspect", gate.wait);
    await bed.sql`UPDATE workspaces SET apply_policy = 'settle', next_action_at = cp_now() WHERE id = ${id}`;
    await until("the second start has its instance", () =>
      platform.backend.running().some(({ attemptNo }) => attemptNo === 2),
    );
    // The wish for the second image is in this start's snapshot, and its agent has not beaten yet.
    images.publish("demo", "third");
    expect((await ended(await ask())).result?.recreated).toEqual([id]);
    gate.open();
    platform.backend.before("inspect", null);
    await bed.isReady(platform, id, 3);
    await bed.isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ attempt: 3, desired: 3, applied: 3 });
  }, 60_000);

  it("I8 only pulls when nothing is to start again", async () => {
    const { platform, images } = openPlatform();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await bed.isReady(platform, id, 1);
    images.publish("demo", "second");
    startWorker(platform, images);
    expect((await ended(await ask(false))).result).toMatchObject({ recreated: [] });
    expect((await platform.see(id)).desired).toBe(1);
  }, 60_000);

  it("I8 is gone on with by another worker when its own is gone", async () => {
    const { platform, images } = openPlatform();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await bed.isReady(platform, id, 1);
    images.publish("demo", "second");
    const gate = bed.gate();
    images.during = gate.wait;
    const first = startWorker(platform, images);
    const job = await ask();
    await until("the first worker pulls", () => images.refreshed.length === 1);
    images.during = async () => undefined;
    await bed.sql`UPDATE fleet_jobs SET lease_until = cp_now() - interval '1 second'`;
    startWorker(platform, images);
    const { status, result } = await ended(job);
    expect([status, result?.recreated]).toEqual(["done", [id]]);
    gate.open();
    await first.stop();
    await bed.isReady(platform, id, 2);
    expect((await platform.see(id)).desired).toBe(2);
  }, 60_000);

  it("I8 ends with a sentence where no engine answers, and one more may be asked for", async () => {
    const { platform, images } = openPlatform();
    images.whyAway = "The Docker engine does not answer.";
    startWorker(platform, images);
    const job = await ended(await ask());
    expect(job).toMatchObject({
      status: "failed",
      failure: { code: "engine_unavailable", sentence: "The Docker engine does not answer." },
    });
    images.whyAway = null;
    expect((await ended(await ask())).status).toBe("done");
  }, 60_000);
});
