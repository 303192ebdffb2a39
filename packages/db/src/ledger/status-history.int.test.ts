import { randomUUID } from "node:crypto";
import { statusSpans } from "@molecule/domain/status-history";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { waitUntil } from "@molecule/testing/wait-until";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ormOf } from "../database.ts";
import { readStatusPast } from "./status-history.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.close());

/** An agent that is online, made `hours` ago. */
async function workspace(hours: number): Promise<string> {
  const id = randomUUID();
  await test.sql`
    INSERT INTO workspaces (id, name, runtime, backend, config, phase, created_at)
    VALUES (${id}, 'w', 'demo', 'process', '{}', 'READY', cp_now() - ${hours} * interval '1 hour')`;
  return id;
}
const event = (id: string, name: string, hoursAgo: number, payload = {}) => test.sql`
  INSERT INTO events (event, subject_id, payload, at)
  VALUES (${name}::event_type, ${id}, ${test.sql.json(payload)}, cp_now() - ${hoursAgo} * interval '1 hour')`;
/** The spans as status and whole hours. */
async function spansOf(id: string, hours = 24): Promise<[string | null, number][]> {
  const past = await readStatusPast(test.db, id, hours);
  if (past === null) throw new Error("nothing is known");
  return statusSpans(past).map(({ status, from, to }) => [
    status,
    Math.round((to.getTime() - from.getTime()) / 3_600_000),
  ]);
}

it("L7: the last day as spans, from the last event before it to the present status", async () => {
  const id = await workspace(100);
  await event(id, "WORKSPACE_ONLINE", 90);
  await event(id, "WORKSPACE_OFFLINE", 20);
  await event(id, "WORKSPACE_PROVISION_FAILED", 19, { will_retry: true });
  await event(id, "WORKSPACE_PROVISIONING", 18);
  await event(id, "WORKSPACE_PROVISION_FAILED", 17, { will_retry: false });
  await event(id, "WORKSPACE_UPDATED", 9);
  await event(id, "WORKSPACE_ONLINE", 2);
  expect(await spansOf(id)).toEqual([
    ["online", 4],
    ["offline", 2],
    ["provisioning", 1],
    ["failed", 15],
    ["online", 2],
  ]);
  expect(await spansOf(id, 1)).toEqual([["online", 1]]);
});

it("L7: a workspace that is younger begins with itself, an unknown one has no history", async () => {
  const id = await workspace(3);
  await event(id, "WORKSPACE_PROVISIONING", 2.9);
  await event(id, "WORKSPACE_ONLINE", 2);
  expect(await spansOf(id)).toEqual([
    ["provisioning", 1],
    ["online", 2],
  ]);
  expect(await readStatusPast(test.db, randomUUID(), 24)).toBeNull();
});

it("L7: what the log has forgotten is known of an attempt that was up, else said to be unknown", async () => {
  for (const [outcome, before] of [
    ["ready", "online"],
    ["boot_timeout", null],
  ] as const) {
    const id = await workspace(500);
    await test.sql`
      INSERT INTO attempts (workspace_id, no, reason, detail, actor_kind, actor_name, lease_epoch,
        outcome, ended_at, ready_at, created_at)
      VALUES (${id}, 1, 'create', '{}', 'platform', 'Molecule', 1, ${outcome}::attempt_outcome,
        ${before === null ? new Date() : null}, ${before === null ? null : new Date()},
        cp_now() - interval '400 hours')`;
    await event(id, "WORKSPACE_OFFLINE", 6);
    await event(id, "WORKSPACE_ONLINE", 5);
    expect(await spansOf(id)).toEqual([
      [before, 18],
      ["offline", 1],
      ["online", 5],
    ]);
  }
});

it("L7: reads the index of such events and never the log", async () => {
  const id = await workspace(100);
  await test.sql`
    INSERT INTO events (event, subject_id, payload, at)
    SELECT 'ACTIVITY_LOGGED', ${id}, '{}', cp_now() - n * interval '15 seconds'
    FROM generate_series(1, 4000) n`;
  await event(id, "WORKSPACE_ONLINE", 90);
  await event(id, "WORKSPACE_OFFLINE", 3);
  await test.sql`ANALYZE events`;
  const seen = async () => {
    const [row] = await test.sql`
      SELECT t.seq_scan::int AS scans, i.idx_scan::int AS reads
      FROM pg_stat_user_tables t JOIN pg_stat_user_indexes i USING (relid)
      WHERE t.relname = 'events' AND i.indexrelname = 'events_status'`;
    return { scans: Number(row?.scans), reads: Number(row?.reads) };
  };
  await test.sql`SELECT pg_stat_clear_snapshot()`;
  const before = await seen();
  const asked = 20;
  for (let n = 0; n < asked; n += 1) await spansOf(id);
  const after = await waitUntil("the reads are counted", async () => {
    // The connection that asked tells what it read when it is told to.
    await ormOf(test.db).execute(sql`SELECT pg_stat_force_next_flush()`);
    const now = await seen();
    return now.reads >= before.reads + asked ? now : null;
  });
  // Inserting and ANALYZE above may be counted late; asking scans nothing.
  expect(after.scans - before.scans).toBeLessThan(asked);
});
