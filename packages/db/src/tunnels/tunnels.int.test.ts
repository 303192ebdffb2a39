import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readTallies } from "../ledger/tallies.ts";
import { findHostKey, pinHostKey } from "./host-keys.ts";
import { countTunnels } from "./tunnel-counts.ts";
import { freePlace, readEndpointUse, renewPlaces, takePlace } from "./tunnel-places.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
beforeEach(async () => {
  await test.sql`DELETE FROM tunnel_places`;
});
afterAll(() => test.close());

const ENDPOINT = "1/us-east-2/eice-1";
const take = (holder: string, change: { cap?: number; endpoint?: string; leaseMs?: number } = {}) =>
  takePlace(test.db, {
    endpoint: ENDPOINT,
    machine: "1/us-east-2/i-1",
    holder,
    cap: 4,
    leaseMs: 30_000,
    ...change,
  });

describe("the places of an endpoint", () => {
  it("TU15 are as many as its cap for all workers together, however they hurry", async () => {
    const wishes = Array.from({ length: 24 }, (_, index) => take(`worker-${index % 3}`));
    const answers = await Promise.all(wishes);
    const taken = answers.filter(({ place }) => place !== null);
    expect(taken).toHaveLength(4);
    expect(Math.max(...answers.map(({ used }) => used))).toBe(4);
    expect(await readEndpointUse(test.db)).toEqual([{ endpoint: ENDPOINT, open: 4 }]);
    expect((await take("worker-0", { endpoint: "another" })).used).toBe(1);
  });

  it("TU15 come back when they are freed, and from a worker that is silent", async () => {
    const { place } = await take("a", { cap: 1 });
    if (place === null) throw new Error("no place");
    expect((await take("b", { cap: 1 })).place).toBeNull();
    await freePlace(test.db, place);
    expect((await take("b", { cap: 1, leaseMs: -1 })).place).not.toBeNull();
    expect((await take("c", { cap: 1 })).place).not.toBeNull();
  });

  it("TU15 a worker that was silent too long is told that its place is another's", async () => {
    const late = await take("late", { cap: 1, leaseMs: -1 });
    const next = await take("next", { cap: 1 });
    expect((await renewPlaces(test.db, "late", 30_000)).held).toEqual(new Set());
    if (late.place === null || next.place === null) throw new Error("no place");
    await freePlace(test.db, late.place);
    const { held } = await renewPlaces(test.db, "next", 30_000);
    expect([...held]).toEqual([next.place.leaseId]);
  });

  it("TU15 a lease that ran out unnoticed goes on when nobody has taken the place", async () => {
    const { place } = await take("a", { cap: 1, leaseMs: -1 });
    expect([...(await renewPlaces(test.db, "a", 30_000)).held]).toEqual([place?.leaseId]);
    expect((await take("b", { cap: 1 })).place).toBeNull();
  });

  it("TU5 who holds one hears that another worker waits", async () => {
    await take("a", { cap: 1 });
    expect((await renewPlaces(test.db, "a", 30_000)).wanted.size).toBe(0);
    await take("b", { cap: 1 });
    expect([...(await renewPlaces(test.db, "a", 30_000)).wanted]).toEqual([ENDPOINT]);
  });
});

describe("the key of a machine in the database", () => {
  it("TU14 is pinned once, by whoever was first, and never replaced", async () => {
    const key = { type: "ssh-ed25519", sha256: "aaa", source: "first_use" } as const;
    expect(await findHostKey(test.db, "m")).toBeNull();
    expect(await pinHostKey(test.db, "m", key)).toEqual(key);
    expect(await pinHostKey(test.db, "m", { ...key, sha256: "bbb", source: "console" })).toEqual(
      key,
    );
    expect(await findHostKey(test.db, "m")).toEqual(key);
  });
});

describe("what pools count", () => {
  it("is added to what was counted before", async () => {
    await countTunnels(test.db, { handshakes: 2, evictions: 0 });
    await countTunnels(test.db, { handshakes: 1 });
    await countTunnels(test.db, {});
    const rows = (await readTallies(test.db)).filter(({ name }) => name === "tunnels");
    expect(rows).toEqual([{ name: "tunnels", label: "handshakes", outcome: "", n: 3 }]);
  });
});
