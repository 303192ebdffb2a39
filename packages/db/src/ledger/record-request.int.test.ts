import { randomUUID } from "node:crypto";
import type { Actor } from "@molecule/domain/sets";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { afterAll, beforeAll, expect, it } from "vitest";
import { pruneLifecycle } from "../lifecycle/prune.ts";
import { listRequests } from "./read-ledger.ts";
import { recordRequests } from "./record-request.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.close());

const ADA: Actor = { kind: "member", id: "1", name: "Ada" };
const BO: Actor = { kind: "member", id: "2", name: "Bo" };

async function workspace(currentAttempt: number): Promise<string> {
  const id = randomUUID();
  await test.sql`
    INSERT INTO workspaces (id, name, runtime, backend, config, phase)
    VALUES (${id}, 'w', 'demo', 'process', '{}', 'READY')`;
  for (let no = 1; no <= currentAttempt; no += 1) {
    await test.sql`UPDATE workspaces SET current_attempt = ${no} WHERE id = ${id}`;
  }
  return id;
}
const skipped = (workspaceId: string, actor: Actor, sentence: string, attemptNo?: number) =>
  test.db.transaction((tx) =>
    recordRequests(tx, [
      { workspaceId, actor, sentence, attemptNo, source: "write", outcome: "skipped" },
    ]),
  );

it("L5: the same again is one row with a count, another actor or attempt is another", async () => {
  const id = await workspace(2);
  const all = Array.from({ length: 30 }, (_, n) => skipped(id, n % 2 === 0 ? ADA : BO, "Same."));
  await Promise.all(all);
  await skipped(id, ADA, "The latest sentence.");
  await skipped(id, ADA, "Of another attempt.", 1);
  const rows = await listRequests(test.db, id, { limit: 10 });
  expect(rows.map(({ actor, attemptNo, count }) => [actor.name, attemptNo, count])).toEqual(
    expect.arrayContaining([
      ["Ada", 2, 16],
      ["Bo", 2, 15],
      ["Ada", 1, 1],
    ]),
  );
  expect(rows).toHaveLength(3);
  expect(rows.find(({ count }) => count === 16)?.sentence).toBe("The latest sentence.");
});

it("L5: before the first attempt there is one row as well", async () => {
  const id = await workspace(0);
  for (let n = 0; n < 3; n += 1) await skipped(id, ADA, "Same.");
  expect(await listRequests(test.db, id, { limit: 10 })).toMatchObject([
    { attemptNo: null, count: 3 },
  ]);
});

it("is read page by page, newest first, without what began an attempt", async () => {
  const id = await workspace(1);
  for (let no = 1; no <= 5; no += 1) await skipped(id, ADA, `${no}`, no);
  const began = { source: "click", outcome: "began", actor: ADA, sentence: "It began." } as const;
  await test.db.transaction((tx) => recordRequests(tx, [{ workspaceId: id, ...began }]));
  const first = await listRequests(test.db, id, { limit: 3 });
  const rest = await listRequests(test.db, id, { limit: 3, before: first.at(-1)?.id });
  expect([...first, ...rest].map(({ sentence }) => sentence)).toEqual(["5", "4", "3", "2", "1"]);
});

it("is kept for 90 days after it was last counted", async () => {
  const id = await workspace(1);
  await skipped(id, ADA, "Old.");
  await skipped(id, BO, "Old, and again today.");
  await test.sql`UPDATE restart_requests SET first_at = cp_now() - interval '91 days',
    last_at = cp_now() - interval '91 days' WHERE workspace_id = ${id}`;
  await skipped(id, BO, "Old, and again today.");
  await pruneLifecycle(test.db);
  expect(await listRequests(test.db, id, { limit: 10 })).toMatchObject([
    { actor: { name: "Bo" }, count: 2 },
  ]);
});
