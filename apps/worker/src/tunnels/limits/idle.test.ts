import { waitUntil } from "@molecule/testing/wait-until";
import { expect, it } from "vitest";
import { fakePool, wishOf } from "./fake-pool.fixture.ts";

const use = () => Promise.resolve();

it("TU4 a connection ends when it was not used for the idle time, and not before", async () => {
  const fake = fakePool({ idleMs: 60_000 });
  await fake.pool.run(wishOf(), use);
  fake.passMs(59_000);
  await fake.pool.run(wishOf(), use);
  fake.passMs(59_000);
  await fake.pool.run(wishOf(), use);
  expect(fake.made).toHaveLength(1);
  fake.passMs(61_000);
  await waitUntil("it has ended", () => fake.made[0]?.fault !== null);
  expect(fake.pool.stats()).toMatchObject({ open: 0, counts: { idle_closes: 1 } });
  await fake.pool.stop();
});

it("TU11 an idle time of 0 shares nothing", async () => {
  const fake = fakePool({ idleMs: 0 });
  const [one, two] = await Promise.all([fake.pool.acquire(wishOf()), fake.pool.acquire(wishOf())]);
  expect(one.connection).not.toBe(two.connection);
  one.release();
  two.release();
  expect(fake.made.every(({ fault }) => fault !== null)).toBe(true);
  await fake.pool.stop();
});
