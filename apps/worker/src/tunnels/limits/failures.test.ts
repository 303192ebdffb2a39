import { waitUntil } from "@molecule/testing/wait-until";
import { expect, it } from "vitest";
import { FileError, TunnelError } from "../errors.ts";
import { errorOf } from "../light-bed.fixture.ts";
import { fakePool, wishOf } from "./fake-pool.fixture.ts";

const use = () => Promise.resolve("done");

it("TU6 callers within the wait get the fault that is remembered, without a dial", async () => {
  const fake = fakePool();
  const refusal = new TunnelError("ws-rejected", { httpStatus: 503 });
  fake.onDial = () => Promise.reject(refusal);
  const calls = Array.from({ length: 100 }, () => errorOf(fake.pool.run(wishOf(), use)));
  expect(new Set(await Promise.all(calls))).toEqual(new Set([refusal]));
  expect(await errorOf(fake.pool.run(wishOf(), use))).toBe(refusal);
  expect(fake.dials).toBe(1);
  fake.passMs(251);
  expect(await errorOf(fake.pool.run(wishOf(), use))).toBe(refusal);
  fake.passMs(400);
  expect(await errorOf(fake.pool.run(wishOf(), use))).toBe(refusal);
  expect(fake.dials).toBe(2);
  fake.passMs(200);
  fake.onDial = () => Promise.resolve();
  expect(await fake.pool.run(wishOf(), use)).toBe("done");
  await fake.pool.stop();
});

it("TU8 a set-up that fails every other time ends in two rebuilds per caller at most", async () => {
  const fake = fakePool({ backoffMinMs: 0, backoffMaxMs: 0 });
  fake.onDial = () =>
    fake.dials % 2 === 0 ? Promise.reject(new TunnelError("ws-closed")) : Promise.resolve();
  const broken = fake.pool.run(wishOf(), (one) =>
    Promise.reject(one.break(new TunnelError("ws-closed"))),
  );
  expect(await errorOf(broken)).toMatchObject({ fault: "ws-closed" });
  expect(fake.dials).toBe(2);
  await fake.pool.stop();
});

it("TU8 an operation is replayed once on a fresh connection, and only when it may be", async () => {
  const fake = fakePool();
  const breaking =
    (times: number) => (one: { break: (f: TunnelError) => TunnelError }, n: number) =>
      n < times ? Promise.reject(one.break(new TunnelError("ws-closed"))) : Promise.resolve(n);
  expect(await fake.pool.run(wishOf(), breaking(1))).toBe(1);
  expect(await errorOf(fake.pool.run(wishOf(), breaking(2)))).toBeInstanceOf(TunnelError);
  const once = fake.pool.run({ ...wishOf(), isIdempotent: false }, breaking(1));
  expect(await errorOf(once)).toBeInstanceOf(TunnelError);
  expect(fake.pool.stats().counts.replays).toBe(2);
  await fake.pool.stop();
});

it("TU9 a lease is released once, and says how it ended", async () => {
  const fake = fakePool();
  const lease = await fake.pool.acquire(wishOf());
  lease.release();
  expect(() => lease.release()).toThrow("released once");
  const kept = fake.pool.run(wishOf(), () => Promise.reject(new FileError("permission", "x")));
  await errorOf(kept);
  expect(fake.made[0]?.fault).toBeNull();
  (await fake.pool.acquire(wishOf())).release("poison");
  await waitUntil("it has ended", () => fake.made[0]?.fault !== null);
  await fake.pool.stop();
});

it("TU1 a connection that comes after its time is closed, and nobody gets it", async () => {
  const fake = fakePool({ connectTimeoutMs: 30 });
  let open = () => undefined as undefined;
  fake.onDial = () =>
    new Promise((resolve) => {
      open = () => void resolve();
    });
  expect(await errorOf(fake.pool.run(wishOf(), use))).toMatchObject({ fault: "handshake-timeout" });
  open();
  await waitUntil("it has ended", () => fake.made[0]?.fault?.fault === "pool-closed");
  expect(fake.pool.stats().open).toBe(0);
  await fake.pool.stop();
});
