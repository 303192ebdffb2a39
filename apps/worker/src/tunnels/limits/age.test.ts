import { waitUntil } from "@molecule/testing/wait-until";
import { expect, it } from "vitest";
import { fakePool, wishOf } from "./fake-pool.fixture.ts";

const AGES = { softAgeMs: 100_000, hardAgeMs: 120_000, idleMs: 500_000 };

it("TU2 at the soft age the next connection is made before the old one ends", async () => {
  const fake = fakePool(AGES);
  await using long = await fake.pool.acquire(wishOf());
  fake.passMs(100_000);
  const numbers = await Promise.all(
    Array.from({ length: 8 }, () =>
      fake.pool.run(wishOf(), ({ number }) => Promise.resolve(number)),
    ),
  );
  expect(new Set(numbers)).toEqual(new Set([0]));
  await waitUntil("the next one is there", () => fake.pool.stats().counts.renewals === 1);
  expect(await fake.pool.run(wishOf(), ({ number }) => Promise.resolve(number))).toBe(1);
  expect([fake.dials, long.connection.fault]).toEqual([2, null]);
  long.release();
  await waitUntil("the old one has ended", () => fake.made[0]?.fault !== null);
  await fake.pool.stop();
});

it("TU2 at the hard age a connection ends whatever it does", async () => {
  const fake = fakePool(AGES);
  const long = await fake.pool.acquire(wishOf());
  expect(long.endsAtMs).toBe(120_000);
  fake.passMs(120_000);
  await waitUntil("it has ended", () => long.connection.fault !== null);
  long.release();
  expect(await fake.pool.run(wishOf(), ({ number }) => Promise.resolve(number))).toBe(1);
  await fake.pool.stop();
});

it("TU2 a renewal that fails leaves the present connection, and is tried again later", async () => {
  const fake = fakePool(AGES);
  await fake.pool.run(wishOf(), () => Promise.resolve());
  fake.onDial = () => Promise.reject(new Error("not now"));
  fake.passMs(100_000);
  await fake.pool.run(wishOf(), () => Promise.resolve());
  await waitUntil("the renewal failed", () => fake.pool.stats().counts.failed_handshakes === 1);
  await fake.pool.run(wishOf(), () => Promise.resolve());
  expect(fake.made[0]?.fault).toBeNull();
  await fake.pool.stop();
});
