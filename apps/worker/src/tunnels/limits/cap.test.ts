import { waitUntil } from "@molecule/testing/wait-until";
import { expect, it } from "vitest";
import { errorOf } from "../light-bed.fixture.ts";
import { fakePool, wishOf } from "./fake-pool.fixture.ts";

const number = ({ number: one }: { number: number }) => Promise.resolve(one);

it("TU5 a caller waits when all are in use, and goes on when one is released", async () => {
  const fake = fakePool({ maxPerEndpoint: 2 });
  const [one, two] = [await fake.pool.acquire(wishOf(0)), await fake.pool.acquire(wishOf(1))];
  const third = fake.pool.run(wishOf(2), number);
  await waitUntil("it waits", () => fake.pool.stats().connecting === 1);
  expect(fake.dials).toBe(2);
  one.release();
  expect(await third).toBe(2);
  expect([one.connection.fault?.fault, two.connection.fault]).toEqual(["pool-closed", null]);
  two.release();
  await fake.pool.stop();
});

it("TU5 a wait that is too long ends with its own fault, and is no failure of the machine", async () => {
  const fake = fakePool({ maxPerEndpoint: 1, acquireTimeoutMs: 30 });
  const held = await fake.pool.acquire(wishOf(0));
  const error = await errorOf(fake.pool.run(wishOf(1), number));
  expect(error).toMatchObject({ fault: "pool-full" });
  held.release();
  expect(await fake.pool.run(wishOf(1), number)).toBe(1);
  await fake.pool.stop();
});

it("TU1 no more callers wait for one connection than the limit", async () => {
  const fake = fakePool({ maxWaiters: 2 });
  let open = () => undefined as undefined;
  fake.onDial = () =>
    new Promise((resolve) => {
      open = () => void resolve();
    });
  const calls = Array.from({ length: 5 }, () => fake.pool.run(wishOf(), number));
  const settled = Promise.allSettled(calls);
  await waitUntil("the dial runs", () => fake.dials === 1);
  open();
  const faults = (await settled).map((one) =>
    one.status === "rejected" ? (one.reason as { fault: string }).fault : "none",
  );
  expect(faults.sort()).toEqual(["none", "none", "pool-full", "pool-full", "pool-full"]);
  await fake.pool.stop();
});

it("TU12 what is made in advance makes nobody give way and is two at once at most", async () => {
  const fake = fakePool({ maxPerEndpoint: 8 });
  const warm = (index: number) => fake.pool.warm({ ...wishOf(index), isRunning: true });
  const four = await Promise.all([0, 1, 2, 3].map(warm));
  expect(four).toEqual([true, true, false, false]);
  for (const index of [4, 5, 6, 7]) await fake.pool.run(wishOf(index), number);
  expect(await warm(8)).toBe(false);
  expect(fake.pool.stats()).toMatchObject({ open: 6, counts: { evictions: 0 } });
  expect(await fake.pool.warm({ ...wishOf(0), isRunning: false })).toBe(true);
  await fake.pool.stop();
});
