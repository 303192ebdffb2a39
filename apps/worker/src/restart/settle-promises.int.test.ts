import { describe, expect, it } from "vitest";
import type { FakePlatform } from "./fake-platform.ts";
import { useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, later, gate, phaseIs, isReady, isAtRest, attemptOf } = bed;

/** A workspace that runs, on a platform with one worker. */
async function running(): Promise<{ readonly platform: FakePlatform; readonly id: string }> {
  const platform = open();
  platform.startWorker();
  const id = await platform.createWorkspace();
  await isReady(platform, id, 1);
  return { platform, id };
}

/** Waits for the attempt, for the rest after it, and that nothing more came of it. */
async function endsWith(platform: FakePlatform, id: string, attempt: number): Promise<void> {
  await isReady(platform, id, attempt);
  await isAtRest(platform, id);
  const seen = await platform.see(id);
  expect(seen).toMatchObject({ attempt, phase: "READY" });
  expect(seen.applied).toBe(seen.desired);
}

/** What the newest instance was started with at `path`. */
function runsWith(platform: FakePlatform, id: string, path: string): string | null {
  const instance = platform.backend.running().findLast((one) => one.workspaceId === id);
  const file = instance?.spec.files.find((one) => one.path === path);
  return file === undefined ? null : new TextDecoder().decode(file.content);
}

describe("the settle rule", () => {
  it("makes 10 single writes one restart that carries all ten", async () => {
    const { platform, id } = await running();
    for (let n = 0; n < 10; n += 1) await platform.writeFile(id, `f${n}.md`, `text ${n}`);
    await later(16_000);
    await endsWith(platform, id, 2);
    expect(await attemptOf(platform, id, 2)).toMatchObject({
      reason: "files",
      sentence: expect.stringContaining("10 files"),
    });
    for (let n = 0; n < 10; n += 1) expect(runsWith(platform, id, `f${n}.md`)).toBe(`text ${n}`);
  });

  it("makes 50 writers at once one restart that carries every one", async () => {
    const { platform, id } = await running();
    const writers = Array.from({ length: 50 }, (_, n) =>
      platform.writeFile(id, `f${n}.md`, `text ${n}`),
    );
    const generations = await Promise.all(writers);
    expect(new Set(generations).size).toBe(50);
    await later(16_000);
    await endsWith(platform, id, 2);
    for (let n = 0; n < 50; n += 1) expect(runsWith(platform, id, `f${n}.md`)).toBe(`text ${n}`);
  });

  it("counts for each workspace alone", async () => {
    const { platform, id: first } = await running();
    const second = await platform.createWorkspace();
    await isReady(platform, second, 1);
    await platform.writeFile(first, "a.md", "one");
    await later(10_000);
    await platform.writeFile(second, "a.md", "two");
    await later(6_000);
    await endsWith(platform, first, 2);
    expect((await platform.see(second)).attempt).toBe(1);
    await later(10_000);
    await endsWith(platform, second, 2);
    expect((await platform.see(first)).attempt).toBe(2);
  });

  it("restarts again for a write after the window", async () => {
    const { platform, id } = await running();
    await platform.writeFile(id, "a.md", "one");
    await later(16_000);
    await endsWith(platform, id, 2);
    await later(31_000);
    await platform.writeFile(id, "a.md", "two");
    await later(16_000);
    await endsWith(platform, id, 3);
    expect(runsWith(platform, id, "a.md")).toBe("two");
  });

  it("makes a key and a file back to back at most two restarts, and the last values win", async () => {
    const { platform, id } = await running();
    await platform.writeSecret(id, "API_KEY", "last key");
    await platform.writeFile(id, "model.md", "first");
    await platform.writeFile(id, "model.md", "last");
    await later(31_000);
    await later(31_000);
    await isAtRest(platform, id);
    const { attempt } = await platform.see(id);
    expect(attempt).toBeGreaterThan(1);
    expect(attempt).toBeLessThanOrEqual(3);
    await endsWith(platform, id, attempt);
    expect(runsWith(platform, id, "model.md")).toBe("last");
    const instance = platform.backend.running().findLast((one) => one.workspaceId === id);
    expect(instance?.spec.env.API_KEY).toBe("last key");
  });
});

describe("a write beside a restart under way", () => {
  it("after its snapshot is exactly one restart more", async () => {
    const { platform, id } = await running();
    const held = gate();
    platform.backend.before("create", held.wait);
    await platform.click(id);
    await phaseIs(platform, id, "CREATING");
    await platform.writeFiles(id, { "a.md": "late" });
    held.open();
    await endsWith(platform, id, 3);
    expect((await platform.attempts(id)).map(({ reason }) => reason)).toEqual([
      "create",
      "user",
      "files",
    ]);
    expect(runsWith(platform, id, "a.md")).toBe("late");
  });

  it("before its snapshot is none more, and is in that attempt", async () => {
    const { platform, id } = await running();
    const held = gate();
    platform.backend.before("remove", held.wait);
    await platform.click(id);
    await phaseIs(platform, id, "STOPPING");
    await platform.writeFiles(id, { "a.md": "in time" });
    held.open();
    await endsWith(platform, id, 2);
    expect(runsWith(platform, id, "a.md")).toBe("in time");
  });
});
