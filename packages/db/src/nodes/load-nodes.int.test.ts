import { DEFAULT_SETTLE_SETTINGS } from "@molecule/domain/settle";
import { createTestDatabase } from "@molecule/testing/database";
import { describe, expect, it } from "vitest";
import { pruneLifecycle } from "../lifecycle/prune.ts";
import { loadNodes } from "./load-nodes.ts";

const settle = DEFAULT_SETTLE_SETTINGS;
const CONFIG = {
  model: "demo-1",
  provider: null,
  instructions: "",
  description: "",
  requiredEnv: [],
  starterPrompts: [],
  extra: {},
};

describe("the node projection", () => {
  it("OR7: tells who waits for a turn to start from who starts", async () => {
    await using test = await createTestDatabase();
    const make = (name: string, phase: string, status: string, inTime: string) => test.sql`
      INSERT INTO workspaces (name, runtime, backend, config, phase, intent, next_action_at)
      VALUES (${name}, 'demo', 'process', ${test.sql.json(CONFIG)}, ${phase}, ${status},
        cp_now() + ${inTime}::interval)`;
    await make("waits", "NEW", "run", "1 day");
    await make("resumed", "PAUSED", "run", "1 day");
    await make("starts", "NEW", "run", "0 s");
    await make("rests", "PAUSED", "paused", "1 day");
    const waiting = (await loadNodes(test.db, { settle })).filter((node) => node.waitsForTurn);
    expect(waiting.map(({ name }) => name).toSorted()).toEqual(["resumed", "waits"]);
  });

  it("shows a fresh workspace without attempt, beat or layout", async () => {
    await using test = await createTestDatabase();
    const [row] = await test.sql`
      INSERT INTO workspaces (name, runtime, backend, config)
      VALUES ('Ada', 'demo', 'process', ${test.sql.json(CONFIG)}) RETURNING id`;
    const [node] = await loadNodes(test.db, { settle });
    expect(node).toMatchObject({
      id: row?.id,
      status: "provisioning",
      desiredModel: "demo-1",
      effectiveModel: null,
      attempt: null,
      pending: null,
      waitingForRemoval: 0,
      lastActivity: null,
      x: 0,
    });
  });

  it("groups pending writes and tells when they are due, and hides what the open attempt carries", async () => {
    await using test = await createTestDatabase();
    const [row] = await test.sql`
      INSERT INTO workspaces (name, runtime, backend, config, phase, desired_gen, applied_gen,
        current_attempt, first_dirty_at, last_dirty_at, dirty_stream)
      VALUES ('Ada', 'demo', 'process', ${test.sql.json(CONFIG)}, 'READY', 4, 1, 1,
        '2026-01-01T12:00:00Z', '2026-01-01T12:00:10Z', 'files') RETURNING id`;
    const id = String(row?.id);
    for (const [gen, name] of [
      [2, "a.md"],
      [3, "b.md"],
      [4, "a.md"],
    ] as const) {
      await test.sql`
        INSERT INTO changes (workspace_id, gen, kind, name, actor_kind, actor_name, at)
        VALUES (${id}, ${gen}, 'file', ${name}, 'member', 'Ada', ${`2026-01-01T12:00:0${gen}Z`})`;
    }
    await test.sql`
      INSERT INTO attempts (workspace_id, no, reason, detail, actor_kind, actor_name, lease_epoch,
        snap_gen, snap_config, outcome, ready_at)
      VALUES (${id}, 1, 'create', ${test.sql.json({ sentence: "created by Ada", merged: [], absorbed: [] })},
        'member', 'Ada', 1, 1, ${test.sql.json({ ...CONFIG, model: "old" })}, 'ready', cp_now())`;
    const [ready] = await loadNodes(test.db, { ids: [id], settle });
    expect(ready?.effectiveModel).toBe("old");
    expect(ready?.pending).toMatchObject({
      merged: [{ kind: "file", count: 2, names: ["a.md", "b.md"], actors: ["Ada"] }],
      dueAt: "2026-01-01T12:00:25.000Z",
    });

    await test.sql`UPDATE workspaces SET current_attempt = 2`;
    await test.sql`
      INSERT INTO attempts (workspace_id, no, reason, detail, actor_kind, actor_name, lease_epoch,
        snap_gen, snap_config)
      SELECT workspace_id, 2, reason, detail, actor_kind, actor_name, lease_epoch, 3,
        ${test.sql.json({ ...CONFIG, model: "not-running" })} FROM attempts`;
    const [open] = await loadNodes(test.db, { ids: [id], settle });
    expect(open).toMatchObject({ effectiveModel: "old", desiredModel: "demo-1" });
    // However long ago it came up, and whatever failed since.
    await test.sql`UPDATE attempts SET created_at = cp_now() - interval '100 days'`;
    await pruneLifecycle(test.db);
    const [long] = await loadNodes(test.db, { ids: [id], settle });
    expect(long).toMatchObject({ effectiveModel: "old", desiredModel: "demo-1" });
    expect(open?.pending).toMatchObject({ merged: [{ count: 1, names: ["a.md"] }], dueAt: null });
  });

  it("never shows a smaller revision for a later read, and leaves out what is removed", async () => {
    await using test = await createTestDatabase();
    await test.sql`
      INSERT INTO workspaces (name, runtime, backend, config, intent)
      VALUES ('Ada', 'demo', 'process', ${test.sql.json(CONFIG)}, 'run'),
             ('Gone', 'demo', 'process', ${test.sql.json(CONFIG)}, 'deleted')`;
    const [first] = await loadNodes(test.db, { settle });
    await test.sql`UPDATE workspaces SET name = 'Bea' WHERE name = 'Ada'`;
    const later = await loadNodes(test.db, { settle });
    expect(later.map((node) => node.name)).toEqual(["Bea"]);
    expect(later[0]?.revision).toBeGreaterThan(first?.revision ?? Number.POSITIVE_INFINITY);
  });
});
