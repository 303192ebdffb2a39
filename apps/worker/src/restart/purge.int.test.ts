import { randomUUID } from "node:crypto";
import { trimActivity } from "@molecule/db/activity/trim-activity";
import { insertApproval } from "@molecule/db/approvals/approval-rows";
import { trimEvents } from "@molecule/db/events/trim-events";
import { insertInstruction } from "@molecule/db/instructions/instruction-rows";
import { pruneLifecycle } from "@molecule/db/lifecycle/prune";
import { insertCheckpoint } from "@molecule/db/memory/checkpoints";
import { putMemoryKey } from "@molecule/db/memory/memory-keys";
import { insertMemory } from "@molecule/db/memory/memory-rows";
import { acceptMessage } from "@molecule/db/queue/accept-message";
import { fireNow } from "@molecule/db/schedules/fire-schedule";
import { insertSchedule } from "@molecule/db/schedules/schedule-rows";
import { expect, it } from "vitest";
import { useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();

/** Tables with a row that names the id anywhere. */
async function tablesNaming(id: string): Promise<string[]> {
  const { sql } = bed.database;
  const tables = await sql`SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`;
  expect(tables.length).toBeGreaterThan(10);
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await sql`SELECT 1 FROM ${sql(String(name))} t
      WHERE t::text LIKE ${`%${id}%`} LIMIT 1`;
    if (rows.length > 0) found.push(String(name));
  }
  return found;
}

const MEMORY_TABLES = ["memories", "memory_keys", "instructions", "approvals", "checkpoints"];

async function remember(workspaceId: string): Promise<void> {
  await bed.database.db.transaction(async (tx) => {
    const memory = { workspaceId, scope: "TEAM", namespace: "general", content: "Tea" } as const;
    await insertMemory(tx, memory);
    const write = { workspaceId, key: "k", value: "1", ttlSeconds: null, ifVersion: null };
    await putMemoryKey(tx, write);
    await insertCheckpoint(tx, { workspaceId, workflowId: "w", body: "{}" });
    const told = { title: "", content: "Be brief", priority: 0, enabled: true };
    await insertInstruction(tx, { workspaceId, ...told });
    const asked = { action: "a", reason: "", taskId: null, context: null };
    await insertApproval(tx, { workspaceId, ...asked });
  });
}

it("after the purge no table holds the id, and the backend nothing of it", async () => {
  const platform = bed.open();
  platform.startWorker();
  const { db } = bed.database;
  const id = await platform.createWorkspace();
  const other = await platform.createWorkspace();
  for (const one of [id, other]) await bed.isReady(platform, one, 1);
  await db.transaction(async (tx) => {
    const wishes = { name: "Nightly", cronExpr: "0 2 * * *", timezone: "UTC", prompt: "Tidy up" };
    const on = { enabled: true, source: "runtime" } as const;
    const schedule = await insertSchedule(tx, id, { ...wishes, ...on });
    await fireNow(tx, schedule.id, { kind: "admin", name: "Ada" });
  });
  await remember(id);
  for (const table of ["schedule_runs", ...MEMORY_TABLES]) {
    expect(await tablesNaming(id)).toContain(table);
  }
  await platform.writeSecret(id, "A_KEY", "a value");
  await platform.writeFiles(id, { "a.md": "text" });
  await platform.backend.files.write(id, "/workspace", { path: "b", content: new Uint8Array([1]) });
  await db.transaction(async (tx) => {
    for (const [targetId, callerId] of [[id, null] as const, [other, id] as const]) {
      const envelope = { jsonrpc: "2.0", id: 1, method: "message/send", params: {} };
      const about = { targetName: "it", actorName: "Ada", method: "message/send", envelope };
      await acceptMessage(tx, { ...about, targetId, callerId, messageId: randomUUID() }, null);
    }
  });
  await platform.click(id);
  await bed.isReady(platform, id, 2);
  await bed.sql`INSERT INTO kept_files (workspace_id, name, mime_type, kept_at, expires_at)
    VALUES (${id}, 'a.txt', 'text/plain', cp_now(), cp_now() + interval '7 days')`;
  await platform.intent(id, "delete");
  await bed.phaseIs(platform, id, "DELETED");
  expect(await tablesNaming(id)).toContain("workspaces");
  expect(await tablesNaming(id)).not.toContain("workspace_secrets");
  for (const table of ["schedules", "kept_files", ...MEMORY_TABLES]) {
    expect(await tablesNaming(id)).not.toContain(table);
  }
  expect(await platform.backend.readConfigs(id)).toBeNull();
  expect(platform.backend.running().map((one) => one.workspaceId)).toEqual([other]);

  // The message to the other agent ends, and something happens there later than anything here.
  await bed.sql`UPDATE a2a_queue SET status = 'completed', completed_at = cp_now()
    WHERE workspace_id = ${other}`;
  await bed.sql`UPDATE activity SET status = 'ok' WHERE workspace_id = ${other}`;
  await platform.writeFiles(other, { "later.md": "text" });
  await bed.later(31 * 24 * 3_600_000);
  await pruneLifecycle(db);
  await trimActivity(db, { days: 7, chatDays: 365 });
  await trimEvents(db, { days: 7, rows: 1_000_000 });
  expect(await tablesNaming(id)).toEqual([]);
  expect(await tablesNaming(other)).toContain("workspaces");
});
