import { openDatabase } from "@molecule/db/database";
import { afterEach, describe, expect, it } from "vitest";
import { makeShaky } from "../../../../bench/src/shaky-database.fixture.ts";
import { FakeBackend } from "../../provisioning/fake-backend.ts";
import { until, useRestartBed } from "../restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, later, gate, isReady, isAtRest } = bed;
const WORKER = "worker under test";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
}, 60_000);

/** A platform whose worker has a pool of its own, beside one that sees and writes as always. */
function openBeside(url: string, maxConnections = 6) {
  const db = openDatabase({ url, applicationName: WORKER, maxConnections });
  const shared = { backend: new FakeBackend(), masterKey: new Uint8Array(32).fill(7) };
  const platform = open(shared);
  const faulty = open({ ...shared, db, agentsBeat: false });
  ends.push(
    () => faulty.stop(),
    () => db.close(),
  );
  return { platform, faulty, db };
}

/** The server ends sessions of the worker under test, as its own restart does. */
async function endSessions(like = "%"): Promise<number> {
  const ended = await bed.sql`
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = ${WORKER} AND query ILIKE ${like}`;
  return ended.length;
}

it("I38 a worker that cannot renew its lease for 20 s is taken over and changes nothing later", async () => {
  await using shaky = await makeShaky(bed.database.url);
  const { platform, faulty } = openBeside(shaky.url);
  const first = gate();
  let calls = 0;
  platform.backend.before("create", async () => {
    calls += 1;
    if (calls === 1) await first.wait();
  });
  faulty.startWorker();
  const id = await platform.createWorkspace();
  await until("it creates", () => calls === 1);
  await shaky.goAway();
  await later(20_000);
  platform.startWorker();
  await isReady(platform, id, 1);
  await shaky.comeBack();
  first.open();
  await platform.writeFiles(id, { "a.md": "1" });
  await isReady(platform, id, 2);
  await isAtRest(platform, id);
  expect(platform.backend.created.map(({ attemptNo }) => attemptNo)).toEqual([1, 2]);
  expect(platform.backend.running()).toHaveLength(1);
});

describe("a database that restarts in the middle of a step", () => {
  it.each(["before_snapshot", "after_snapshot", "before_create", "after_create"] as const)(
    "I39 at %s: the step is done again, and nothing twice",
    async (place) => {
      const { platform, faulty } = openBeside(bed.database.url);
      let isEnded = false;
      faulty.startWorker(async (name) => {
        if (name !== place || isEnded) return;
        isEnded = true;
        expect(await endSessions()).toBeGreaterThan(0);
      });
      const id = await platform.createWorkspace();
      await until("its sessions were ended", () => isEnded);
      await later(16_000);
      await isReady(platform, id, 1);
      await isAtRest(platform, id);
      expect(platform.backend.created).toHaveLength(1);
      expect(await platform.see(id)).toMatchObject({ applied: 1, failure: null });
    },
  );

  it("I39 within a transaction: none of it is done, then all of it", async () => {
    const { platform, faulty } = openBeside(bed.database.url);
    let isLocked = false;
    let locked: Promise<unknown> = Promise.resolve();
    const release = gate();
    faulty.startWorker(async (name) => {
      if (name !== "before_snapshot" || isLocked) return;
      isLocked = true;
      let isHeld = false;
      locked = bed.sql.begin(async (tx) => {
        await tx`SELECT 1 FROM workspaces WHERE id = ${id} FOR NO KEY UPDATE`;
        isHeld = true;
        await release.wait();
      });
      await until("the row is held", () => isHeld);
    });
    const id = await platform.createWorkspace();
    await until("the snapshot waits and its session is ended", async () => {
      if (!isLocked) return false;
      return (await endSessions("%no key update%")) > 0;
    });
    release.open();
    await locked;
    await later(16_000);
    await isReady(platform, id, 1);
    expect(platform.backend.created).toHaveLength(1);
  });
});

it("I40 a worker without a free connection waits for one and does all its work", async () => {
  const { platform, faulty, db } = openBeside(bed.database.url, 2);
  const release = gate();
  let held = 0;
  const hogs = [0, 1].map(() =>
    db.transaction(async () => {
      held += 1;
      await release.wait();
    }),
  );
  await until("no connection is free", () => held === 2);
  faulty.startWorker();
  const ids: string[] = [];
  for (let count = 0; count < 6; count += 1) ids.push(await platform.createWorkspace());
  expect((await Promise.all(ids.map((id) => platform.see(id)))).map(({ phase }) => phase)).toEqual(
    ids.map(() => "NEW"),
  );
  release.open();
  await Promise.all(hogs);
  for (const id of ids) await isReady(platform, id, 1);
  expect(platform.backend.created).toHaveLength(6);
});

it("I41 a worker whose listening session was ended finds its work by polling", async () => {
  const { platform, faulty } = openBeside(bed.database.url);
  const worker = faulty.startWorker();
  const unlisten = await worker.listen();
  const id = await platform.createWorkspace();
  await isReady(platform, id, 1);
  for (let round = 2; round <= 3; round += 1) {
    await until("its listening session was ended", async () => (await endSessions("listen%")) > 0);
    await platform.writeFiles(id, { "a.md": String(round) });
    await isReady(platform, id, round);
  }
  await isAtRest(platform, id);
  expect(await platform.see(id)).toMatchObject({ desired: 3, applied: 3, attempt: 3 });
  await unlisten();
});
