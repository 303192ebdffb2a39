import { describe, expect, it } from "vitest";
import { until, useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, later, gate, phaseIs, isReady, isAtRest, attemptOf } = bed;

describe("a new workspace", () => {
  it("starts, goes through the stages in order, and is online with its first beat", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    const [attempt] = await platform.attempts(id);
    expect(attempt).toMatchObject({
      reason: "create",
      outcome: "ready",
      actor: "Ada",
      sentence: "created by Ada",
      stages: ["queued", "preparing", "creating", "booting", "first_heartbeat"],
    });
    expect(await platform.see(id)).toMatchObject({ desired: 1, applied: 1, failure: null });
    const events = (await platform.events(id)).map(({ event }) => event);
    expect(events).toContain("WORKSPACE_PROVISIONING");
    expect(events).toContain("WORKSPACE_ONLINE");
    expect(events).not.toContain("WORKSPACE_AUTO_RESTART_FIRED");
  });

  it("R30 is refused before anything is started when a key is missing, and starts when it comes", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace({ requiredEnv: ["ANTHROPIC_API_KEY"] });
    await phaseIs(platform, id, "FAILED");
    expect((await platform.see(id)).failure).toMatchObject({
      code: "missing_required_key",
      missing: ["ANTHROPIC_API_KEY"],
    });
    expect(platform.backend.created).toEqual([]);
    expect(await platform.attempts(id)).toEqual([]);
    const told = (await platform.events(id)).find(
      ({ event }) => event === "WORKSPACE_PROVISION_FAILED",
    );
    expect(told?.payload).toMatchObject({ missing: ["ANTHROPIC_API_KEY"] });
    await platform.writeSecret(id, "ANTHROPIC_API_KEY", "sk-ant-1");
    await isReady(platform, id, 1);
    expect(platform.backend.running()[0]?.spec.env.ANTHROPIC_API_KEY).toBe("sk-ant-1");
    expect(await attemptOf(platform, id, 1)).toMatchObject({ reason: "secret", actor: "Ada" });
  });
});

describe("a write", () => {
  it("restarts once after its quiet time, with the reason, and is what the agent then runs with", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await platform.writeFile(id, "notes.md", "one");
    await later(14_000);
    await isAtRest(platform, id);
    expect((await platform.see(id)).attempt).toBe(1);
    await later(1_500);
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ desired: 2, applied: 2, attempt: 2 });
    expect(await attemptOf(platform, id, 2)).toMatchObject({
      reason: "files",
      sentence: "1 file changed by Ada",
      stages: ["queued", "stopping", "preparing", "creating", "booting", "first_heartbeat"],
    });
    const fired = (await platform.events(id)).find(
      ({ event }) => event === "WORKSPACE_AUTO_RESTART_FIRED",
    );
    expect(fired?.payload).toMatchObject({ attempt: 2, reason: "files", generation: 2 });
    expect(platform.backend.running()).toHaveLength(1);
  });

  it("of 17 files in one save is one attempt, at once", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    const files = Object.fromEntries(
      Array.from({ length: 17 }, (_, i) => [`f${i}.md`, `text ${i}`]),
    );
    await platform.writeFiles(id, files);
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ desired: 2, applied: 2, attempt: 2 });
    expect((await attemptOf(platform, id, 2))?.sentence).toMatch(/^17 files saved by Ada, at /);
    const paths = platform.backend.running()[0]?.spec.files.map((file) => file.path);
    expect(paths).toEqual(expect.arrayContaining(Object.keys(files)));
  });

  it("I4 during the stop rides along in the same attempt", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    const stop = gate();
    platform.backend.before("remove", stop.wait);
    await platform.writeFiles(id, { "a.md": "1" });
    await phaseIs(platform, id, "STOPPING");
    await platform.writeFiles(id, { "b.md": "2" });
    stop.open();
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ desired: 3, applied: 3, attempt: 2 });
    expect((await attemptOf(platform, id, 2))?.sentence).toMatch(/^2 files saved by Ada/);
    const told = (await platform.events(id)).find(
      ({ event }) => event === "WORKSPACE_RESTARTING_MID_WRITE",
    );
    expect(told?.payload).toMatchObject({ attempt: 2, path: "b.md", will_apply_in: "this" });
  });

  it.each([
    ["I6 during the", "create"],
    ["I7 during the", "boot"],
  ] as const)("%s %s causes exactly one more", async (_name, when) => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    const creating = gate();
    if (when === "create") platform.backend.before("create", creating.wait);
    await phaseIs(platform, id, when === "create" ? "CREATING" : "BOOTING");
    await platform.writeFiles(id, { "a.md": "1" });
    creating.open();
    await phaseIs(platform, id, "BOOTING");
    await platform.beat({ workspaceId: id, attemptNo: 1 });
    await until("attempt 2 boots", async () => {
      const seen = await platform.see(id);
      return seen.attempt === 2 && seen.phase === "BOOTING";
    });
    expect((await platform.attempts(id)).map((one) => one.snapGen)).toEqual([1, 2]);
    await platform.beat({ workspaceId: id, attemptNo: 2 });
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ desired: 2, applied: 2, attempt: 2 });
    expect(platform.backend.created).toHaveLength(2);
  });

  it("under the policy hold restarts nothing until a click", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace({ policy: "hold" });
    await isReady(platform, id, 1);
    await platform.writeFiles(id, { "a.md": "1" });
    await later(3_600_000);
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ desired: 2, applied: 1, attempt: 1 });
    await platform.click(id);
    await isReady(platform, id, 2);
    expect((await platform.see(id)).applied).toBe(2);
  });

  it("waits for running turns, and no longer than ten minutes", async () => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    await phaseIs(platform, id, "BOOTING");
    await platform.beat({ workspaceId: id, attemptNo: 1 }, 1);
    await isReady(platform, id, 1);
    await platform.writeFiles(id, { "a.md": "1" });
    await isAtRest(platform, id);
    expect((await platform.see(id)).attempt).toBe(1);
    // In hops, as a beat says something about turns for a while only.
    for (let hop = 0; hop < 8; hop += 1) {
      await later(70_000);
      await platform.beat({ workspaceId: id, attemptNo: 1 }, 1);
    }
    await isAtRest(platform, id);
    expect((await platform.see(id)).attempt).toBe(1);
    await later(45_000);
    await until("the restart begins", async () => (await platform.see(id)).attempt === 2);
  });

  it("of an agent under /configs is adopted without a restart, and a double edit keeps both", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await platform.writeFiles(id, { "mine.md": "v1", "both.md": "v1", "still.md": "v1" });
    await isReady(platform, id, 2);
    platform.backend.editConfig(id, "mine.md", "by the agent");
    platform.backend.editConfig(id, "both.md", "by the agent");
    platform.backend.editConfig(id, "new.md", "found");
    platform.backend.editConfig(id, "config.yaml", "model: hijacked");
    await platform.writeFiles(id, { "both.md": "by Ada" });
    await isReady(platform, id, 3);
    await isAtRest(platform, id);
    const files = Object.fromEntries(
      (platform.backend.running()[0]?.spec.files ?? []).map((file) => [
        file.path,
        new TextDecoder().decode(file.content),
      ]),
    );
    expect(files).toMatchObject({
      "mine.md": "by the agent",
      "both.md": "by Ada",
      "both.md.agent-2": "by the agent",
      "new.md": "found",
      "still.md": "v1",
    });
    expect(files["config.yaml"]).not.toContain("hijacked");
    const seen = await platform.see(id);
    expect([seen.attempt, seen.applied === seen.desired]).toEqual([3, true]);
  });
});
