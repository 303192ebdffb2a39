import { randomBytes, randomUUID } from "node:crypto";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

let test: TestDatabase;
let id: string;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.close());
beforeEach(async () => {
  id = randomUUID();
  await test.sql`
    INSERT INTO workspaces (id, name, runtime, backend, config, desired_gen, force_seq, current_attempt, lease_epoch, config_version)
    VALUES (${id}, 'w', 'demo', 'process', '{}', 5, 5, 5, 5, 5)`;
});

it("removes everything of a workspace with its row: every table that names one refers to it", async () => {
  const rows = await test.sql`
    SELECT c.table_name FROM information_schema.columns c
    WHERE c.table_schema = 'public' AND c.column_name = 'workspace_id'
      AND c.table_name NOT IN (SELECT table_name FROM information_schema.views WHERE table_schema = 'public')
      AND NOT EXISTS (
        SELECT 1 FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
        WHERE k.contype = 'f' AND k.conrelid = c.table_name::regclass AND a.attname = 'workspace_id'
          AND k.confrelid = 'workspaces'::regclass AND k.confdeltype = 'c')`;
  expect(rows.map((row) => row.table_name)).toEqual([]);
});

it.each(["desired_gen", "force_seq", "current_attempt", "lease_epoch", "config_version"])(
  "refuses to let %s go backwards",
  async (column) => {
    await expect(
      test.sql`UPDATE workspaces SET ${test.sql(column)} = 4 WHERE id = ${id}`,
    ).rejects.toThrow(/backwards/);
  },
);

it("refuses an attempt number that skips one", async () => {
  await expect(
    test.sql`UPDATE workspaces SET current_attempt = 7 WHERE id = ${id}`,
  ).rejects.toThrow(/step by one/);
  await test.sql`UPDATE workspaces SET current_attempt = 6 WHERE id = ${id}`;
});

it("keeps a deleted workspace deleted", async () => {
  await test.sql`UPDATE workspaces SET intent = 'deleted', phase = 'DELETED' WHERE id = ${id}`;
  await expect(test.sql`UPDATE workspaces SET intent = 'run' WHERE id = ${id}`).rejects.toThrow();
  await expect(test.sql`UPDATE workspaces SET phase = 'READY' WHERE id = ${id}`).rejects.toThrow();
});

it.each([
  ["applied more than was wanted", "applied_gen = 6"],
  ["applied more clicks than there were", "applied_force = 6"],
  ["stopping without a deadline", "phase = 'STOPPING'"],
  ["creating without a deadline", "phase = 'CREATING'"],
  ["booting without a deadline", "phase = 'BOOTING'"],
  ["deleting without a deadline", "phase = 'DELETING'"],
  ["deleted without the intent", "phase = 'DELETED'"],
  ["its own parent", "parent_id = id"],
  ["a name that is empty", "name = ''"],
])("refuses a workspace that is %s", async (_what, change) => {
  await expect(
    test.sql.unsafe(`UPDATE workspaces SET ${change} WHERE id = '${id}'`),
  ).rejects.toMatchObject({ code: "23514" });
});

it("refuses a second open attempt and an outcome without its instant", async () => {
  const insert = (no: number, outcome: string | null) => test.sql`
    INSERT INTO attempts (workspace_id, no, reason, detail, actor_kind, actor_name, lease_epoch, outcome)
    VALUES (${id}, ${no}, 'create', '{}', 'platform', 'Molecule', 1, ${outcome}::attempt_outcome)`;
  await insert(1, null);
  await expect(insert(2, null)).rejects.toMatchObject({ constraint_name: "one_open_attempt" });
  await expect(insert(3, "aborted")).rejects.toMatchObject({ code: "23514" });
});

it("stores digests of tokens only, and one live token per attempt", async () => {
  const insert = (digest: Buffer, kind: string, attempt: number | null) => test.sql`
    INSERT INTO workspace_tokens (workspace_id, kind, attempt_no, token_sha256, prefix)
    VALUES (${id}, ${kind}::token_kind, ${attempt}, ${digest}, 'wst_')`;
  await expect(insert(Buffer.from("wst_plain"), "minted", null)).rejects.toMatchObject({
    code: "23514",
  });
  await expect(insert(randomBytes(32), "attempt", null)).rejects.toMatchObject({ code: "23514" });
  await insert(randomBytes(32), "attempt", 1);
  await expect(insert(randomBytes(32), "attempt", 1)).rejects.toMatchObject({
    constraint_name: "one_live_attempt_token",
  });
});
