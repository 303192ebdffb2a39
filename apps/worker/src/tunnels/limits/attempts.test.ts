import { expect, it } from "vitest";
import { errorOf } from "../light-bed.fixture.ts";
import { fakePool, wishOf } from "./fake-pool.fixture.ts";

it("TU16 an operation of a superseded attempt is refused before it reaches a connection", async () => {
  const fake = fakePool();
  const older = await fake.pool.acquire(wishOf(0, 1));
  const newer = await fake.pool.acquire(wishOf(0, 2));
  expect(older.connection).toBe(newer.connection);
  expect(older.signal.aborted).toBe(true);
  expect(older.signal.reason).toMatchObject({ code: "superseded" });
  expect(newer.signal.aborted).toBe(false);
  let uses = 0;
  const late = fake.pool.run(wishOf(0, 1), () => {
    uses += 1;
    return Promise.resolve();
  });
  expect(await errorOf(late)).toMatchObject({ code: "superseded" });
  expect(uses).toBe(0);
  expect(await fake.pool.run(wishOf(1, 1), () => Promise.resolve("another machine"))).toBeTruthy();
  older.release();
  newer.release();
  await fake.pool.stop();
});
