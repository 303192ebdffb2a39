import { createTestDatabase } from "@molecule/testing/database";
import { expect, it } from "vitest";
import { trimActivity } from "./trim-activity.ts";

it("deletes old activity, keeps conversations with people longer and what is under way for ever", async () => {
  await using test = await createTestDatabase();
  const { sql } = test;
  const [workspace] = await sql`INSERT INTO workspaces (name, runtime, backend, config)
    VALUES ('Ada', 'demo', 'process', '{}') RETURNING id`;
  const id = workspace?.id;
  await sql`INSERT INTO activity (workspace_id, activity_type, source_id, status, summary, created_at)
    VALUES
      (${id}, 'lifecycle', NULL, 'ok', 'old', cp_now() - interval '8 days'),
      (${id}, 'lifecycle', NULL, 'ok', 'new', cp_now()),
      (${id}, 'a2a_receive', NULL, 'ok', 'chat', cp_now() - interval '8 days'),
      (${id}, 'a2a_receive', NULL, 'ok', 'ancient chat', cp_now() - interval '400 days'),
      (${id}, 'a2a_receive', ${id}, 'ok', 'between agents', cp_now() - interval '8 days'),
      (${id}, 'a2a_receive', ${id}, 'queued', 'waiting', cp_now() - interval '8 days')`;
  expect(await trimActivity(test.db, { days: 7, chatDays: 365 })).toBe(3);
  const left = await sql`SELECT summary FROM activity ORDER BY summary`;
  expect(left.map((row) => row.summary)).toEqual(["chat", "new", "waiting"]);
});
