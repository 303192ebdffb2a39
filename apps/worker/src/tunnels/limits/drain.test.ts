import { expect, it } from "vitest";
import { errorOf } from "../light-bed.fixture.ts";
import { fakePool, wishOf } from "./fake-pool.fixture.ts";

it("a pool that stops gives nothing out, lets uses end and closes what it has", async () => {
  const fake = fakePool();
  const lease = await fake.pool.acquire(wishOf(0));
  await fake.pool.run(wishOf(1), () => Promise.resolve());
  const stopped = fake.pool.stop();
  expect(await errorOf(fake.pool.acquire(wishOf(0)))).toMatchObject({ fault: "pool-closed" });
  expect(lease.connection.fault).toBeNull();
  lease.release();
  await stopped;
  expect(fake.made.map(({ fault }) => fault?.fault)).toEqual(["pool-closed", "pool-closed"]);
});

const USES = process.env.MOLECULE_TEST_LONG === "1" ? 10_000 : 2_000;

it(`no lease is lost over ${USES} uses of which many fail`, async () => {
  const fake = fakePool({ maxPerEndpoint: 4, backoffMinMs: 0, backoffMaxMs: 0 });
  const turn = async (index: number) => {
    await fake.pool
      .run(wishOf(index % 4), async (one) => {
        await Promise.resolve();
        if (index % 7 === 0) throw new RangeError("unexpected");
        if (index % 11 === 0) throw one.break(fault());
      })
      .catch(() => undefined);
  };
  const { TunnelError } = await import("../errors.ts");
  const fault = () => new TunnelError("ws-closed");
  for (let from = 0; from < USES; from += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, index) => turn(from + index)));
  }
  const { open, idle } = fake.pool.stats();
  expect(open).toBe(idle);
  expect(open).toBeLessThanOrEqual(4);
  await fake.pool.stop();
});
