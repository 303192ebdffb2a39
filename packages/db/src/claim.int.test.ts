import { randomUUID } from "node:crypto";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Claim, claimDue, releaseClaim, renewLease } from "./claim.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.close());
beforeEach(async () => {
  await test.setSkewMs(0);
  await test.sql`DELETE FROM workspaces`;
});

async function due(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    await test.sql`
      INSERT INTO workspaces (id, name, runtime, backend, config, next_action_at)
      VALUES (${randomUUID()}, ${`w${i}`}, 'demo', 'process', '{}', now() - interval '1 second' * ${count - i})`;
  }
}
const claim = (owner: string, limit = 1, leaseMs = 15_000) =>
  claimDue(test.db, "workspaces", { owner, leaseMs, limit });
const only = (claims: readonly Claim[]): Claim => {
  const [one] = claims;
  if (one === undefined) throw new Error("something was claimed");
  return one;
};

it("gives each row to one claimer, however many ask at once", async () => {
  await due(20);
  const claims = await Promise.all(["a", "b", "c", "d"].map((owner) => claim(owner, 10)));
  const ids = claims.flat().map((one) => one.id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length + (await claim("e", 20)).length).toBe(20);
});

it("has nothing to give while a lease runs, and a new epoch once it has run out", async () => {
  await due(1);
  const first = only(await claim("a"));
  expect(await claim("b")).toEqual([]);
  await test.setSkewMs(15_001);
  const second = only(await claim("b"));
  expect(second.epoch).toBe(first.epoch + 1);
  expect(await renewLease(test.db, first, 15_000)).toBe(false);
  expect(await renewLease(test.db, second, 15_000)).toBe(true);
});

it("keeps a renewed lease and gives a released row on at once", async () => {
  await due(1);
  const held = only(await claim("a"));
  await test.setSkewMs(14_000);
  await renewLease(test.db, held, 15_000);
  await test.setSkewMs(20_000);
  expect(await claim("b")).toEqual([]);
  await releaseClaim(test.db, held);
  expect(await claim("b")).toHaveLength(1);
});

it("does not let the release of a lost lease take it from its new holder", async () => {
  await due(1);
  const lost = only(await claim("a"));
  await test.setSkewMs(16_000);
  await claim("b");
  await releaseClaim(test.db, lost);
  expect(await claim("c")).toEqual([]);
});

it("skips what is not due and what somebody has locked", async () => {
  await due(2);
  await test.sql.begin(async (tx) => {
    await tx`SELECT 1 FROM workspaces WHERE name = 'w0' FOR UPDATE`;
    expect(await claim("a", 2)).toHaveLength(1);
  });
  await test.sql`UPDATE workspaces SET lease_until = NULL, next_action_at = now() + interval '1 hour'`;
  expect(await claim("a", 2)).toEqual([]);
});

it("claims queued messages by the same rules", async () => {
  await due(1);
  await test.sql`
    INSERT INTO a2a_queue (workspace_id, body, method, next_action_at)
    SELECT id, '{}', 'message/send', now() FROM workspaces`;
  const options = { owner: "a", leaseMs: 1_000, limit: 5 };
  expect(await claimDue(test.db, "a2a_queue", options)).toHaveLength(1);
  expect(await claimDue(test.db, "a2a_queue", options)).toEqual([]);
});
