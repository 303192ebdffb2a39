import { hasSshd } from "@molecule/testing/cloud/sshd";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LOG, wish } from "./light-bed.fixture.ts";
import { PlaceLeases } from "./place-leases.ts";
import { startTunnelBed, type TunnelBed } from "./tunnel-bed.fixture.ts";

const CAP = 20;
let bed: TunnelBed;
let test: TestDatabase;
const workers: PlaceLeases[] = [];

/** The places of one worker; its rows are prolonged every 100 ms. */
function worker(holder: string, cap = CAP): PlaceLeases {
  const places = new PlaceLeases({ db: test.db, holder, cap, renewEveryMs: 100, log: LOG });
  workers.push(places);
  return places;
}

describe.skipIf(!hasSshd())("several workers at one endpoint", () => {
  beforeAll(async () => {
    bed = await startTunnelBed();
    test = await createTestDatabase();
  });
  beforeEach(async () => {
    await bed.reset();
    await Promise.all(workers.splice(0).map((places) => places.stop()));
    await test.sql`DELETE FROM tunnel_places`;
  });
  afterAll(async () => {
    await bed.reset();
    await Promise.all(workers.splice(0).map((places) => places.stop()));
    await test.close();
    await bed[Symbol.asyncDispose]();
  });

  it("TU15 two workers and 24 machines never try a 21st connection", async () => {
    bed.ground.control.maxConnections = CAP;
    const settings = { maxPerEndpoint: CAP, acquireTimeoutMs: 30_000 };
    const pools = [
      bed.pool(settings, { places: worker("one") }),
      bed.pool(settings, { places: worker("two") }),
    ];
    const calls = pools.flatMap((pool, offset) =>
      Array.from({ length: 12 }, (_, index) =>
        pool.run(wish(index * 2 + offset), (one) => one.exec("echo done")),
      ),
    );
    const outputs = await Promise.all(calls);
    expect(outputs.map(String)).toEqual(outputs.map(() => "done\n"));
    expect(bed.ground.counts.overCap).toBe(0);
    expect(bed.ground.counts.maxLive).toBeLessThanOrEqual(CAP);
  });

  it("TU5 a worker gives an unused connection up when another one waits", async () => {
    const settings = { maxPerEndpoint: 1, acquireTimeoutMs: 20_000 };
    const one = bed.pool(settings, { places: worker("one", 1) });
    const two = bed.pool(settings, { places: worker("two", 1) });
    await one.run(wish(0), (connection) => connection.exec("true"));
    await two.run(wish(1), (connection) => connection.exec("true"));
    expect(one.stats()).toMatchObject({ open: 0, counts: { evictions: 1 } });
    expect(bed.ground.counts.maxLive).toBe(1);
  });

  it("TU15 a worker that finds its place taken closes the connection", async () => {
    const pool = bed.pool({}, { places: worker("one") });
    await pool.run(wish(), (one) => one.exec("true"));
    await test.sql`UPDATE tunnel_places SET holder = 'two', lease_id = gen_random_uuid()`;
    await waitUntil("it is closed", () => pool.stats().open === 0);
  });
});
