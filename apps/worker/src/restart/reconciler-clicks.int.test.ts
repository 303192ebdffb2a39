import { describe, expect, it } from "vitest";
import { refusedByMachine, until, useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, later, gate, phaseIs, isReady, isAtRest, attemptOf } = bed;

describe("a click", () => {
  it("I19 the same click twice is one, and begins at once", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    const [one, two] = [await platform.click(id, "c1"), await platform.click(id, "c1")];
    expect(one).toEqual(two);
    expect(one).toMatchObject({ kind: "begins", attempt: 2 });
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    expect((await platform.see(id)).attempt).toBe(2);
    expect(await attemptOf(platform, id, 2)).toMatchObject({
      reason: "user",
      sentence: "restarted by Ada",
    });
  });

  it("while stopping is absorbed and told so", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    const stop = gate();
    platform.backend.before("remove", stop.wait);
    await platform.click(id);
    await phaseIs(platform, id, "STOPPING");
    expect(await platform.click(id)).toMatchObject({ kind: "absorbed", attempt: 2 });
    stop.open();
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    expect((await platform.see(id)).attempt).toBe(2);
    expect((await attemptOf(platform, id, 2))?.absorbed).toEqual(["restarted by Ada"]);
  });

  it.each(["create", "boot"] as const)("during the %s ends that attempt", async (when) => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    const creating = gate();
    if (when === "create") platform.backend.before("create", creating.wait);
    await phaseIs(platform, id, when === "create" ? "CREATING" : "BOOTING");
    expect(await platform.click(id)).toMatchObject({ kind: "begins", attempt: 2 });
    creating.open();
    await until("attempt 2 boots", async () => {
      const seen = await platform.see(id);
      return seen.attempt === 2 && seen.phase === "BOOTING";
    });
    expect(await attemptOf(platform, id, 1)).toMatchObject({ outcome: "aborted" });
    expect(platform.backend.running().map((one) => one.attemptNo)).toEqual([2]);
  });

  it("on a failed or waiting workspace starts at once and forgets the failures", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    platform.backend.before("create", () => Promise.reject(refusedByMachine(false)));
    await phaseIs(platform, id, "BACKOFF");
    platform.backend.before("create", null);
    await platform.click(id);
    await isReady(platform, id, 2);
    expect(await platform.see(id)).toMatchObject({ bootFailures: 0, failure: null });
  });

  it("on a paused workspace is refused with what to do", async () => {
    const platform = open();
    const id = await platform.createWorkspace();
    await platform.intent(id, "pause");
    await expect(platform.click(id)).rejects.toMatchObject({ code: "workspace_paused" });
  });
});

describe("attempts are told apart", () => {
  it("a beat of the old attempt is superseded and makes nothing ready", async () => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    await phaseIs(platform, id, "BOOTING");
    await platform.beat({ workspaceId: id, attemptNo: 1 });
    await isReady(platform, id, 1);
    await platform.click(id);
    await until("attempt 2 boots", async () => {
      const seen = await platform.see(id);
      return seen.attempt === 2 && seen.phase === "BOOTING";
    });
    expect(await platform.beat({ workspaceId: id, attemptNo: 1 })).toBe(409);
    expect((await platform.see(id)).phase).toBe("BOOTING");
    expect(await platform.beat({ workspaceId: id, attemptNo: 2 })).toBe(200);
    await isReady(platform, id, 2);
  });

  it("I26 a beat before the start was recorded makes the attempt ready on record", async () => {
    const platform = open({ agentsBeat: false });
    platform.startWorker(async (name) => {
      if (name === "after_create") {
        const [made] = platform.backend.running();
        if (made !== undefined) expect(await platform.beat(made)).toBe(200);
      }
    });
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    expect((await platform.see(id)).applied).toBe(1);
  });

  it("I27 a late beat after the boot timeout adopts the instance", async () => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    await phaseIs(platform, id, "BOOTING");
    await later(601_000);
    await phaseIs(platform, id, "BACKOFF");
    await platform.beat({ workspaceId: id, attemptNo: 1 });
    await isReady(platform, id, 1);
    expect(platform.backend.created).toHaveLength(1);
    expect(await attemptOf(platform, id, 1)).toMatchObject({ outcome: "ready" });
  });
});
