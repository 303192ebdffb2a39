import { expect, it } from "vitest";
import { until, useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, phaseIs, isReady, attemptOf } = bed;

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

it("a reset starts on new folders with the managed files, once", async () => {
  const platform = open();
  platform.startWorker();
  const id = await platform.createWorkspace();
  await isReady(platform, id, 1);
  const { files } = platform.backend;
  await files.write(id, "/workspace", { path: "work.md", content: new Uint8Array([1]) });
  platform.backend.editConfig(id, "mine.md", "by the agent");
  const answer = await platform.click(id, "reset-click", { isReset: true });
  expect(answer.message).toContain("/workspace");
  await isReady(platform, id, 2);
  await expect(files.read(id, "/workspace", "work.md")).rejects.toMatchObject({
    code: "not_found",
  });
  const configs = await platform.backend.readConfigs(id);
  expect([...(configs ?? new Map()).keys()].sort()).toEqual(["config.yaml", "system-prompt.md"]);
  await files.write(id, "/workspace", { path: "new.md", content: new Uint8Array([2]) });
  await platform.click(id, "reset-click", { isReset: true });
  await platform.click(id);
  await isReady(platform, id, 3);
  expect(await files.read(id, "/workspace", "new.md")).toEqual(new Uint8Array([2]));
});

it("a reset that comes while the start is prepared is not lost", async () => {
  const platform = open();
  const id = await platform.createWorkspace();
  platform.startWorker();
  await isReady(platform, id, 1);
  await platform.backend.files.write(id, "/workspace", {
    path: "work.md",
    content: new Uint8Array([1]),
  });
  const preparing = bed.gate();
  let isPreparing = false;
  platform.backend.before("prepare", async () => {
    isPreparing = true;
    await preparing.wait();
  });
  await platform.click(id);
  await until("the start is prepared", () => isPreparing);
  expect(await platform.click(id, "late", { isReset: true })).toMatchObject({ kind: "absorbed" });
  preparing.open();
  await isReady(platform, id, 2);
  await expect(platform.backend.files.read(id, "/workspace", "work.md")).rejects.toMatchObject({
    code: "not_found",
  });
});

it("a rebuilt configuration is ours, whatever the agent wrote over it", async () => {
  const platform = open();
  platform.startWorker();
  const id = await platform.createWorkspace();
  await isReady(platform, id, 1);
  await platform.writeFiles(id, { "notes.md": "ours" });
  await platform.click(id);
  await isReady(platform, id, 2);
  platform.backend.editConfig(id, "notes.md", "by the agent");
  platform.backend.editConfig(id, "config.yaml", "name: broken");
  await platform.click(id, "rebuild", { isRebuilt: true });
  await isReady(platform, id, 3);
  const configs = await platform.backend.readConfigs(id);
  expect(text(configs?.get("notes.md"))).toBe("ours");
  expect(text(configs?.get("config.yaml"))).not.toContain("broken");
});

it("sleeps, is woken and says so", async () => {
  const platform = open();
  platform.startWorker();
  const id = await platform.createWorkspace();
  await isReady(platform, id, 1);
  await platform.intent(id, "hibernate");
  await phaseIs(platform, id, "PAUSED");
  expect(platform.backend.running()).toEqual([]);
  const slept = await bed.sql`SELECT 1 FROM events WHERE subject_id = ${id}
    AND event = 'WORKSPACE_HIBERNATED'`;
  expect(slept).toHaveLength(1);
  await platform.intent(id, "wake");
  await platform.intent(id, "wake");
  await isReady(platform, id, 2);
  expect(await attemptOf(platform, id, 2)).toMatchObject({
    reason: "wake",
    sentence: "woken by Ada",
  });
});
