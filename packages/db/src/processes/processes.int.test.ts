import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forgetLoops, forgetReplacedLoops, listLoopAges, storeLoopTicks } from "./loop-ticks.ts";
import { LoopPulse } from "./pulse.ts";
import { forgetRates, settleRates } from "./rate-windows.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(async () => {
  await test.close();
});
beforeEach(async () => {
  await test.sql`DELETE FROM loop_ticks`;
  await test.sql`DELETE FROM rate_windows`;
});

const worker = (id: string) => ({ id, kind: "worker" as const });
const tick = (agoMs: number, loop = "reconciler") => ({ loop, everyMs: 1000, agoMs });

describe("the ages of loops", () => {
  it("are those of each process", async () => {
    await storeLoopTicks(test.db, worker("a"), [tick(5_000), tick(0, "sweeper")]);
    await storeLoopTicks(test.db, worker("b"), [tick(90_000)]);
    await storeLoopTicks(test.db, { id: "c", kind: "server" }, [tick(0, "queue drain")]);
    const ages = await listLoopAges(test.db);
    expect(ages.map(({ processKind, loop, processId }) => [processKind, loop, processId])).toEqual([
      ["server", "queue drain", "c"],
      ["worker", "reconciler", "a"],
      ["worker", "reconciler", "b"],
      ["worker", "sweeper", "a"],
    ]);
    expect(ages[1]?.secondsAgo).toBeGreaterThanOrEqual(5);
    expect(ages[2]?.secondsAgo).toBeGreaterThanOrEqual(90);
    expect(ages[1]?.everyMs).toBe(1000);
  });

  it("are young again after the next round", async () => {
    await storeLoopTicks(test.db, worker("a"), [tick(300_000)]);
    await storeLoopTicks(test.db, worker("a"), [tick(0)]);
    const [age, ...more] = await listLoopAges(test.db);
    expect(more).toEqual([]);
    expect(age?.secondsAgo).toBeLessThan(200);
  });

  it("of a process that ended without a word go once another one does its work", async () => {
    await storeLoopTicks(test.db, worker("dead"), [tick(3_600_000), tick(3_600_000, "only mine")]);
    await forgetReplacedLoops(test.db);
    expect(await listLoopAges(test.db)).toHaveLength(2);
    await storeLoopTicks(test.db, worker("next"), [tick(0)]);
    await forgetReplacedLoops(test.db);
    const left = (await listLoopAges(test.db)).map(({ processId, loop }) => [processId, loop]);
    expect(left).toEqual([
      ["dead", "only mine"],
      ["next", "reconciler"],
    ]);
  });

  it("of a process that hangs beside one that works stay", async () => {
    await storeLoopTicks(test.db, worker("hangs"), [tick(120_000)]);
    await storeLoopTicks(test.db, worker("works"), [tick(0)]);
    await forgetReplacedLoops(test.db);
    expect(await listLoopAges(test.db)).toHaveLength(2);
  });

  it("of a process that ends in order go with it", async () => {
    await storeLoopTicks(test.db, worker("a"), [tick(0)]);
    await forgetLoops(test.db, "a");
    expect(await listLoopAges(test.db)).toEqual([]);
  });
});

describe("a pulse", () => {
  it("writes down the last round of each loop, and takes it away at the end", async () => {
    const pulse = new LoopPulse({ db: test.db, kind: "worker", log: { warn: () => undefined } });
    pulse.tick("reconciler", 1000);
    pulse.tick("reconciler", 1000);
    pulse.tick("sweeper", 60_000);
    await pulse.flush();
    const ages = await listLoopAges(test.db);
    expect(ages.map(({ loop, processId }) => [loop, processId])).toEqual([
      ["reconciler", pulse.id],
      ["sweeper", pulse.id],
    ]);
    await pulse.stop();
    expect(await listLoopAges(test.db)).toEqual([]);
  });

  it("outlives a database that is away, and says so once", async () => {
    const warnings: string[] = [];
    const gone = await createTestDatabase();
    const log = { warn: (_data: object, message: string) => warnings.push(message) };
    const pulse = new LoopPulse({ db: gone.db, kind: "server", log });
    await gone.close();
    pulse.tick("queue drain", 1000);
    await pulse.flush();
    await pulse.flush();
    expect(warnings).toEqual(["ages of loops were not written"]);
    await pulse.stop();
  });
});

describe("request counts", () => {
  const settle = (uses: Record<string, number>, windowMs = 60_000) =>
    settleRates(
      test.db,
      windowMs,
      Object.entries(uses).map(([key, count]) => ({ key, uses: count })),
    );

  it("of several processes add up", async () => {
    await settle({ "token:a": 3, "token:b": 1 });
    const totals = await settle({ "token:b": 4, "token:a": 2 });
    expect(totals.map(({ key, count }) => [key, count]).sort()).toEqual([
      ["token:a", 5],
      ["token:b", 5],
    ]);
  });

  it("begin anew when their window is over", async () => {
    await settle({ a: 7 });
    await test.sql`UPDATE rate_windows SET started_at = cp_now() - interval '61 seconds'`;
    const [total] = await settle({ a: 1 });
    expect(total?.count).toBe(1);
    expect(total?.ageMs).toBeLessThan(60_000);
  });

  it("are told with the age of their window", async () => {
    await settle({ a: 1 });
    await test.sql`UPDATE rate_windows SET started_at = cp_now() - interval '20 seconds'`;
    const [total] = await settle({ a: 1 });
    expect(total?.count).toBe(2);
    expect(total?.ageMs).toBeGreaterThanOrEqual(20_000);
  });

  it("of many callers are settled at once, by two processes in any order", async () => {
    const keys = Array.from({ length: 5000 }, (_, at) => `ip:${at}`);
    const uses = Object.fromEntries(keys.map((key) => [key, 1]));
    const backwards = Object.fromEntries([...keys].reverse().map((key) => [key, 1]));
    await Promise.all([settle(uses), settle(backwards), settle(uses), settle(backwards)]);
    const totals = await settle(uses);
    expect(new Set(totals.map(({ count }) => count))).toEqual(new Set([5]));
  });

  it("are forgotten when nobody comes any more", async () => {
    await settle({ old: 1, young: 1 });
    await test.sql`
      UPDATE rate_windows SET started_at = cp_now() - interval '61 minutes' WHERE key = 'old'`;
    await forgetRates(test.db);
    const left = await test.sql`SELECT key FROM rate_windows`;
    expect(left.map(({ key }) => key)).toEqual(["young"]);
  });
});
