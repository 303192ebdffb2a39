import { describe, expect, it } from "vitest";
import { until, useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, later, isReady, isBooting, isAtRest, attemptOf } = bed;
const SENTENCE = "The Docker engine does not answer.";
const WITH_ENGINE = {
  reason: "platform_upgrade",
  sentence: "the Docker engine was stopped and runs again",
};

function isTold(platform: ReturnType<typeof open>, id: string) {
  return until("the card says it", async () => {
    return (await platform.see(id)).failure?.sentence === SENTENCE;
  });
}

describe("an engine that stops while agents run", () => {
  it("X9: is told by every agent, and what ended with it starts again at once and is no crash", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await isAtRest(platform, id);
    let rounds = 0;
    platform.backend.before("list", () => {
      rounds += 1;
    });
    platform.startProber(async () => false);
    await until("the prober has made a whole round", () => rounds > 1);
    platform.backend.whyAway = SENTENCE;
    await until("the card says it", async () => {
      const seen = await platform.see(id);
      return seen.failure?.sentence === SENTENCE && seen.health === "suspected_down";
    });
    expect(await platform.see(id)).toMatchObject({ phase: "READY", attempt: 1 });
    platform.backend.crash({ workspaceId: id, attemptNo: 1 }, "0");
    platform.backend.whyAway = null;
    await isReady(platform, id, 2);
    expect(await attemptOf(platform, id, 2)).toMatchObject(WITH_ENGINE);
    expect(await platform.see(id)).toMatchObject({ crashCount: 0, failure: null, health: "ok" });
  });

  it("leaves an agent alone that survived it", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await isAtRest(platform, id);
    platform.startProber(async () => false);
    platform.backend.whyAway = SENTENCE;
    await until("the card says it", async () => (await platform.see(id)).failure !== null);
    platform.backend.whyAway = null;
    await until("the card forgets it", async () => {
      const seen = await platform.see(id);
      return seen.failure === null && seen.health === "ok";
    });
    expect(await platform.see(id)).toMatchObject({ phase: "READY", attempt: 1 });
  });

  it("X9: is known although it was back before anybody asked", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await isAtRest(platform, id);
    let rounds = 0;
    platform.backend.before("availability", () => {
      rounds += 1;
      // Between the first round and the third.
      if (rounds !== 3) return;
      platform.backend.endCount += 1;
      platform.backend.crash({ workspaceId: id, attemptNo: 1 }, "0");
    });
    platform.startProber();
    await isReady(platform, id, 2);
    expect(await attemptOf(platform, id, 2)).toMatchObject(WITH_ENGINE);
    expect(await platform.see(id)).toMatchObject({ crashCount: 0 });
  });

  it("X9: is remembered by a worker that was started during the outage", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await isAtRest(platform, id);
    const first = platform.startProber(async () => false);
    platform.backend.whyAway = SENTENCE;
    await isTold(platform, id);
    await first.stop();
    platform.backend.crash({ workspaceId: id, attemptNo: 1 }, "0");
    platform.backend.whyAway = null;
    platform.startProber(async () => false);
    await isReady(platform, id, 2);
    expect(await attemptOf(platform, id, 2)).toMatchObject(WITH_ENGINE);
    expect(await platform.see(id)).toMatchObject({ crashCount: 0, failure: null });
  });

  it("H6: is not ended by a beat, only by an agent that can be reached again", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await isAtRest(platform, id);
    let isAnswering = false;
    platform.startProber(async () => isAnswering);
    platform.backend.whyAway = SENTENCE;
    await isTold(platform, id);
    await platform.beat({ workspaceId: id, attemptNo: 1 });
    expect(await platform.see(id)).toMatchObject({
      health: "suspected_down",
      failure: { sentence: SENTENCE },
    });
    isAnswering = true;
    await until("the card forgets it", async () => {
      const seen = await platform.see(id);
      return seen.failure === null && seen.health === "ok";
    });
  });

  it.each([
    ["before its deadline", 0],
    ["past its deadline", 700_000],
  ])("X9, B7: does not count against a start that it ends, %s", async (_when, waitMs) => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isBooting(platform, id, 1);
    platform.backend.whyAway = SENTENCE;
    await later(waitMs);
    await isTold(platform, id);
    platform.backend.crash({ workspaceId: id, attemptNo: 1 }, "143");
    platform.backend.whyAway = null;
    await later(waitMs + 60_000);
    await isBooting(platform, id, 2);
    expect(await attemptOf(platform, id, 2)).toMatchObject(WITH_ENGINE);
    expect(await attemptOf(platform, id, 1)).toMatchObject({ outcome: "aborted" });
    expect(await platform.see(id)).toMatchObject({ bootFailures: 0, failure: null });
  });

  it("is forgotten by a start that survives it", async () => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isBooting(platform, id, 1);
    platform.backend.whyAway = SENTENCE;
    await isTold(platform, id);
    platform.backend.whyAway = null;
    await later(60_000);
    await until("the card forgets it", async () => (await platform.see(id)).failure === null);
    expect(await platform.see(id)).toMatchObject({ phase: "BOOTING", attempt: 1 });
  });

  it("X9: does not count against a start whose creation it cut off", async () => {
    const platform = open({ agentsBeat: false });
    const id = await platform.createWorkspace();
    const create = platform.backend.create.bind(platform.backend);
    platform.backend.create = async (spec, signal) => {
      await create(spec, signal);
      platform.backend.create = create;
      platform.backend.whyAway = SENTENCE;
      return await create(spec, signal);
    };
    platform.startWorker();
    await isTold(platform, id);
    platform.backend.crash({ workspaceId: id, attemptNo: 1 }, "143");
    platform.backend.whyAway = null;
    await later(60_000);
    await isBooting(platform, id, 2);
    expect(await attemptOf(platform, id, 2)).toMatchObject(WITH_ENGINE);
    expect(await platform.see(id)).toMatchObject({ bootFailures: 0, failure: null });
  });
});
