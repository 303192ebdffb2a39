import { randomUUID } from "node:crypto";
import { DEFAULT_SETTLE_SETTINGS } from "@molecule/domain/settle";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { afterAll, beforeAll, expect, it } from "vitest";
import { recordWrite, type WriteInput } from "./record-write.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.close());

async function workspace(over: { phase?: string; backend?: string; intent?: string } = {}) {
  const id = randomUUID();
  const { phase = "READY", backend = "process", intent = "run" } = over;
  await test.sql`
    INSERT INTO workspaces (id, name, runtime, backend, config, phase, intent, deadline_at, applied_gen, removed_at)
    VALUES (${id}, 'w', 'demo', ${backend}::backend, '{}', ${phase}::phase, ${intent}::intent, now(), 1,
      ${intent === "deleted" ? new Date() : null})`;
  return id;
}
const write = (id: string, over: Partial<WriteInput> = {}) =>
  test.db.transaction((tx) =>
    recordWrite(tx, {
      workspaceId: id,
      actor: { kind: "member", name: "Ada" },
      stream: "files",
      isBatch: false,
      changes: [{ kind: "file", name: "a.md" }],
      settings: DEFAULT_SETTLE_SETTINGS,
      ...over,
    }),
  );
const rowOf = async (id: string) => {
  const [row] = await test.sql`
    SELECT desired_gen::int, config_version::int, next_action_at, first_dirty_at,
      round(extract(epoch FROM next_action_at - last_dirty_at))::int AS due_after FROM workspaces WHERE id = ${id}`;
  return row ?? {};
};
const eventsOf = (id: string) =>
  test.sql`SELECT event, payload FROM events WHERE subject_id = ${id} AND event <> 'ACTIVITY_LOGGED' ORDER BY id`;

it.each(["NEW", "STOPPING", "CREATING", "BOOTING", "READY", "BACKOFF", "FAILED", "PAUSED"])(
  "W5: a write in %s is one generation more",
  async (phase) => {
    const id = await workspace({ phase });
    expect(await write(id)).toEqual({ generation: 2, configVersion: 1 });
    const row = await rowOf(id);
    expect(row.desired_gen).toBe(2);
    const isArmed = phase === "READY" || phase === "FAILED";
    expect(row.due_after).toBe(isArmed ? 15 : null);
  },
);

it("W5: a write that is rolled back leaves nothing", async () => {
  const id = await workspace();
  const failing = test.db.transaction(async (tx) => {
    await recordWrite(tx, {
      workspaceId: id,
      actor: { kind: "member", name: "Ada" },
      stream: "files",
      isBatch: true,
      changes: [{ kind: "file", name: "a.md" }],
      settings: DEFAULT_SETTLE_SETTINGS,
    });
    throw new Error("the data could not be written");
  });
  await expect(failing).rejects.toThrow();
  expect((await rowOf(id)).desired_gen).toBe(1);
  expect(await eventsOf(id)).toEqual([]);
});

it("W5: concurrent writes get a generation each", async () => {
  const id = await workspace();
  const receipts = await Promise.all(Array.from({ length: 8 }, () => write(id)));
  expect(receipts.map((one) => one.generation).sort((a, b) => a - b)).toEqual([
    2, 3, 4, 5, 6, 7, 8, 9,
  ]);
});

it("W6: a write on a removed workspace is refused", async () => {
  const id = await workspace({ intent: "deleted" });
  await expect(write(id)).rejects.toMatchObject({ code: "removed" });
  await expect(write(randomUUID())).rejects.toMatchObject({ code: "not_found" });
});

it("W7: an outdated version is refused with the current one, and one of two editors wins", async () => {
  const id = await workspace();
  const edit = () =>
    write(id, { changes: [{ kind: "setting", name: "model" }], expectedConfigVersion: 1 });
  const results = await Promise.allSettled([edit(), edit()]);
  expect(results.filter((one) => one.status === "fulfilled")).toHaveLength(1);
  expect(results.find((one) => one.status === "rejected")).toMatchObject({
    reason: { code: "version_conflict", details: { current_version: 2 } },
  });
  expect((await rowOf(id)).desired_gen).toBe(2);
});

it("W8: only a changed setting raises the configuration version", async () => {
  const id = await workspace();
  expect((await write(id)).configVersion).toBe(1);
  const both = [
    { kind: "setting", name: "model" },
    { kind: "file", name: "a.md" },
  ] as const;
  expect((await write(id, { changes: both })).configVersion).toBe(2);
});

it.each([
  ["STOPPING", "this"],
  ["CREATING", "next"],
  ["BOOTING", "next"],
] as const)("W9: a write in %s says that it is applied by %s attempt", async (phase, which) => {
  const id = await workspace({ phase });
  await write(id);
  const [told] = await eventsOf(id);
  expect(told).toEqual({
    event: "WORKSPACE_RESTARTING_MID_WRITE",
    payload: { attempt: 0, kind: "file", path: "a.md", will_apply_in: which },
  });
});

it("tells a pending change, and an external workspace has no generation to apply", async () => {
  const id = await workspace();
  await write(id);
  expect(await eventsOf(id)).toMatchObject([{ event: "WORKSPACE_PENDING_CHANGE" }]);
  const external = await workspace({ backend: "external" });
  expect((await write(external)).generation).toBe(1);
});
