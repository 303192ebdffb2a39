import { appendEvent } from "@molecule/db/events/append-event";
import type { LoggedEvent } from "@molecule/db/events/read-events";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { waitUntil } from "@molecule/testing/wait-until";
import { describe, expect, it } from "vitest";
import { EventTail } from "./event-tail.ts";

async function startTail(test: TestDatabase, batchSize?: number) {
  const seen: LoggedEvent[] = [];
  const warnings: string[] = [];
  const warn = (_data: object, message: string) => void warnings.push(message);
  const log = { debug: () => {}, info: () => {}, warn, error: warn };
  const tail = await EventTail.start({
    db: test.db,
    log,
    pollMs: 50,
    ...(batchSize === undefined ? {} : { batchSize }),
    onBatch: async (batch) => {
      seen.push(...batch);
    },
  });
  return { seen, tail, warnings };
}

function numbers(seen: readonly LoggedEvent[]): unknown[] {
  return seen.map((event) => Number(event.payload.name));
}

function append(test: TestDatabase, n: number, before: () => Promise<void> = async () => {}) {
  return test.db.transaction(async (tx) => {
    const payload = { name: String(n) };
    await appendEvent(tx, { event: "WORKSPACE_UPDATED", subjectId: null, payload });
    await before();
  });
}

describe("the event tail", () => {
  it("hands out what commits late, although later events were committed before it", async () => {
    await using test = await createTestDatabase();
    const { seen, tail } = await startTail(test);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isWritten = () => {};
    const written = new Promise<void>((resolve) => {
      isWritten = resolve;
    });
    const late = append(test, 1, async () => {
      isWritten();
      await held;
    });
    await written;
    await append(test, 2);
    await append(test, 3);
    release();
    await late;
    await waitUntil("all three are seen", () => seen.length === 3);
    expect(numbers(seen)).toEqual([1, 2, 3]);
    await tail.stop();
  });

  it("loses nothing and repeats nothing under writers that commit in any order", async () => {
    await using test = await createTestDatabase();
    const { seen, tail } = await startTail(test, 7);
    const writers = Array.from({ length: 6 }, async (_, writer) => {
      for (let n = 0; n < 40; n += 1) {
        await append(test, writer * 1000 + n, async () => {
          if ((writer + n) % 3 === 0) await test.sql`SELECT pg_sleep(${((n % 5) + 1) / 1000})`;
        });
      }
    });
    await Promise.all(writers);
    await waitUntil("everything is seen", () => seen.length >= 240, { timeoutMs: 20_000 });
    expect(new Set(numbers(seen)).size).toBe(240);
    expect(seen).toHaveLength(240);
    for (let writer = 0; writer < 6; writer += 1) {
      const own = numbers(seen).filter((n) => Math.floor(Number(n) / 1000) === writer);
      expect(own).toEqual(own.toSorted((a, b) => Number(a) - Number(b)));
    }
    await tail.stop();
  });

  it("reads on where it stood when the database refused a while", async () => {
    await using test = await createTestDatabase();
    const { seen, tail, warnings } = await startTail(test);
    await test.sql`ALTER TABLE events RENAME TO events_away`;
    await waitUntil("a pass has failed", () => warnings.length > 0);
    await test.sql`ALTER TABLE events_away RENAME TO events`;
    await append(test, 1);
    await waitUntil("it is seen", () => seen.length === 1);
    await tail.stop();
  });

  it("hands out nothing from before its start and nothing after its stop", async () => {
    await using test = await createTestDatabase();
    await append(test, 1);
    await test.logReadable();
    const { seen, tail } = await startTail(test);
    await append(test, 2);
    await waitUntil("the second is seen", () => seen.length === 1);
    await tail.stop();
    await append(test, 3);
    expect(numbers(seen)).toEqual([2]);
  });
});
