import { randomUUID } from "node:crypto";
import { findFleetJob } from "@molecule/db/fleet/fleet-jobs";
import {
  addRedeployment,
  readMembers,
  resumeRedeployment,
  stopRedeployment,
} from "@molecule/db/fleet/redeployments";
import { pruneLifecycle } from "@molecule/db/lifecycle/prune";
import { afterEach, describe, expect, it } from "vitest";
import { FakeBackend } from "../provisioning/fake-backend.ts";
import { ADA, type FakePlatform } from "../restart/fake-platform.ts";
import { refusedByMachine, until, useRestartBed } from "../restart/restart-bed.fixture.ts";
import { SILENT_LOG } from "../runtime/log.ts";
import { FleetJobs } from "./fleet-jobs.ts";

describe("a redeployment", () => {
  const bed = useRestartBed();
  const workers: FleetJobs[] = [];
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.stop();
    await bed.sql`DELETE FROM fleet_jobs`;
  });

  async function openFleet(size: number): Promise<{ platform: FakePlatform; ids: string[] }> {
    const settings = { stepRetryScale: 0.02 };
    const platform = bed.open({ backend: new FakeBackend("docker"), settings });
    platform.startWorker();
    const ids: string[] = [];
    for (let n = 0; n < size; n += 1) ids.push(await platform.createWorkspace());
    for (const id of ids) await bed.isReady(platform, id, 1);
    return { platform, ids };
  }

  function startWorker(platform: FakePlatform): FleetJobs {
    const { settings } = platform;
    const options = { db: bed.database.db, owner: randomUUID(), images: null, log: SILENT_LOG };
    const worker = new FleetJobs({ ...options, settings });
    workers.push(worker);
    return worker;
  }

  async function start(batch: number, batchTimeoutMs: number | null = null): Promise<string> {
    const wish = { runtime: null, actor: ADA, batch, batchTimeoutMs };
    const job = await bed.database.db.transaction((tx) => addRedeployment(tx, wish));
    if (job === null) throw new Error("a redeployment runs already");
    return job.id;
  }

  async function isOver(id: string) {
    await until(`the redeployment ${id} is over`, async () => {
      return (await findFleetJob(bed.database.db, id))?.status !== "running";
    });
    return await findFleetJob(bed.database.db, id);
  }

  async function statesOf(job: string): Promise<string[]> {
    return (await readMembers(bed.database.db, job)).map(({ state }) => state);
  }

  it("I14 I15 walks the fleet in batches, each back online before the next is asked", async () => {
    const { platform, ids } = await openFleet(5);
    const paused = await platform.createWorkspace();
    await bed.isReady(platform, paused, 1);
    const away: number[] = [];
    platform.backend.before("create", async () => {
      const [row] = await bed.sql`
        SELECT count(*)::int AS n FROM workspaces WHERE phase <> 'READY' AND intent = 'run'`;
      away.push(Number(row?.n));
    });
    startWorker(platform);
    startWorker(platform);
    const job = await start(2);
    await platform.intent(paused, "pause");
    expect(await isOver(job)).toMatchObject({ status: "done", failure: null });
    expect(await statesOf(job)).toEqual(["back", "back", "back", "back", "back", "skipped"]);
    expect(Math.max(...away)).toBeLessThanOrEqual(2);
    for (const id of ids) {
      expect(await platform.see(id)).toMatchObject({ attempt: 2, desired: 2, applied: 2 });
      expect(await bed.attemptOf(platform, id, 2)).toMatchObject({
        reason: "redeploy",
        actor: "Ada",
        sentence: "redeployed by Ada",
      });
    }
    expect((await platform.see(paused)).desired).toBe(1);
  }, 60_000);

  it("I16 I18 halts at a batch that does not come back, and goes on where it was when told to", async () => {
    const { platform, ids } = await openFleet(4);
    startWorker(platform);
    let creations = 0;
    platform.backend.before("create", () => {
      creations += 1;
      if (creations > 1) throw refusedByMachine(true);
    });
    const job = await start(1, 60_000);
    await until("the second one is asked", async () => (await statesOf(job))[1] === "asked");
    await until("its start is refused", () => creations > 1);
    await bed.later(61_000);
    const halted = await isOver(job);
    expect(halted).toMatchObject({ status: "failed", failure: { code: "boot_timeout" } });
    expect(halted?.failure?.sentence).toContain("did not come back");
    expect(await statesOf(job)).toEqual(["back", "lost", "waiting", "waiting"]);
    for (const id of ids.slice(2)) expect((await platform.see(id)).desired).toBe(1);
    platform.backend.before("create", null);
    const resumed = await bed.database.db.transaction((tx) => resumeRedeployment(tx, ADA));
    expect(resumed?.id).toBe(job);
    expect(await bed.database.db.transaction((tx) => resumeRedeployment(tx, ADA))).toBeNull();
    expect(await isOver(job)).toMatchObject({ status: "done", failure: null });
    expect(await statesOf(job)).toEqual(["back", "back", "back", "back"]);
    expect((await platform.see(ids[0] ?? "")).attempt).toBe(2);
  }, 90_000);

  it("I18 is gone on with by another worker, and nobody is asked twice", async () => {
    const { platform, ids } = await openFleet(3);
    const job = await start(1);
    const first = startWorker(platform);
    await until("the walk has begun", async () => (await statesOf(job))[0] !== "waiting");
    await first.stop();
    await bed.sql`
      UPDATE fleet_jobs SET lease_owner = 'a killed worker', lease_epoch = lease_epoch + 1,
        lease_until = cp_now() - interval '1 second', next_action_at = cp_now()`;
    for (const _worker of [1, 2, 3]) startWorker(platform);
    expect(await isOver(job)).toMatchObject({ status: "done" });
    for (const id of ids) expect(await platform.see(id)).toMatchObject({ desired: 2, applied: 2 });
  }, 60_000);

  it("I19 is stopped by a word: what was asked for comes back, the rest stays as it is", async () => {
    const { platform, ids } = await openFleet(3);
    const gate = bed.gate();
    platform.backend.before("create", gate.wait);
    startWorker(platform);
    const job = await start(1);
    await until("the first one is asked", async () => (await statesOf(job))[0] === "asked");
    expect(await stopRedeployment(bed.database.db, ADA)).toMatchObject({ status: "stopped" });
    expect(await stopRedeployment(bed.database.db, ADA)).toBeNull();
    gate.open();
    await bed.isReady(platform, ids[0] ?? "", 2);
    expect(await statesOf(job)).toEqual(["asked", "waiting", "waiting"]);
    expect((await platform.see(ids[1] ?? "")).desired).toBe(1);
    await pruneLifecycle(bed.database.db);
    expect(await statesOf(job)).toHaveLength(3);
    await bed.sql`UPDATE fleet_jobs SET ended_at = ended_at - interval '91 days'`;
    await pruneLifecycle(bed.database.db);
    expect(await findFleetJob(bed.database.db, job)).toBeNull();
    expect(await statesOf(job)).toEqual([]);
  }, 60_000);
});
