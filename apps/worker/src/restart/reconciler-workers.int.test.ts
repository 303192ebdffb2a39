import { describe, expect, it } from "vitest";
import { until, useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, gate, isReady, isAtRest } = bed;

describe("workers that die", () => {
  it.each([
    "after_begin",
    "after_stop",
    "before_snapshot",
    "after_snapshot",
    "before_create",
    "after_create",
    "after_created",
  ] as const)("I35 killed at %s: another worker goes on and one instance runs", async (place) => {
    const platform = open({ settings: { leaseMs: 300 } });
    const dead = gate();
    let hits = 0;
    // The worker stops doing anything at this place for ever, as a killed one does.
    const zombie = platform.startWorker(async (name) => {
      if (name !== place) return;
      hits += 1;
      await dead.wait();
      throw new Error("a zombie");
    });
    const id = await platform.createWorkspace();
    await until("the first worker is caught", () => hits > 0);
    const ended = zombie.stop();
    // A killed process renews nothing: its lease is taken away instead of waited for.
    await bed.sql`
      UPDATE workspaces SET lease_owner = NULL, lease_until = NULL, lease_epoch = lease_epoch + 1
      WHERE id = ${id}`;
    platform.startWorker();
    await isReady(platform, id, 1);
    dead.open();
    await ended;
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ attempt: 1, phase: "READY", applied: 1 });
    expect(platform.backend.created).toHaveLength(1);
    expect(platform.backend.running()).toHaveLength(1);
  });
});

it("a worker that takes over an instance with older content loses no later write", async () => {
  const platform = open();
  const id = await platform.createWorkspace();
  await platform.writeFiles(id, { "a.md": "v1" });
  const dead = gate();
  let hits = 0;
  const zombie = platform.startWorker(async (name) => {
    if (name !== "after_create") return;
    hits += 1;
    await dead.wait();
    throw new Error("a zombie");
  });
  await until("the first worker is caught", () => hits > 0);
  const ended = zombie.stop();
  await platform.writeFiles(id, { "a.md": "v2" });
  await bed.sql`
    UPDATE workspaces SET lease_owner = NULL, lease_until = NULL, lease_epoch = lease_epoch + 1
    WHERE id = ${id}`;
  platform.startWorker();
  await isReady(platform, id, 2);
  dead.open();
  await ended;
  await isAtRest(platform, id);
  const files = platform.backend
    .running()[0]
    ?.spec.files.filter(({ path }) => path.startsWith("a"));
  expect(files?.map(({ path, content }) => [path, new TextDecoder().decode(content)])).toEqual([
    ["a.md", "v2"],
  ]);
});

describe("the sweeper", () => {
  it("removes what nobody wants and keeps the current attempt", async () => {
    const platform = open({ settings: { orphanGraceMs: 100 } });
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await platform.click(id);
    await isReady(platform, id, 2);
    const current = platform.backend.running()[0];
    if (current === undefined) throw new Error("an instance runs");
    const signal = new AbortController().signal;
    await platform.backend.create({ ...current.spec, attemptNo: 1 }, signal);
    await platform.backend.create(
      { ...current.spec, workspaceId: "00000000-0000-4000-8000-000000000000" },
      signal,
    );
    platform.startSweeper();
    await until("only the current one is left", () => platform.backend.running().length === 1);
    expect(platform.backend.running()[0]?.providerId).toBe(current.providerId);
  });

  it("removes nothing when it would empty the machine", async () => {
    const platform = open({ settings: { orphanGraceMs: 0 } });
    platform.startWorker();
    for (let i = 0; i < 7; i += 1) await platform.createWorkspace();
    await until("all run", () => platform.backend.running().length === 7);
    await bed.sql`DELETE FROM workspaces`;
    const sweeper = platform.startSweeper();
    for (let pass = 0; pass < 3; pass += 1) await sweeper.sweep(new AbortController().signal);
    expect(platform.backend.running()).toHaveLength(7);
  });
});
