import { describe, expect, it } from "vitest";
import { until, useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, isReady, isAtRest, attemptOf } = bed;
const SENTENCE = "The Docker engine does not answer.";

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
    expect(await attemptOf(platform, id, 2)).toMatchObject({
      reason: "platform_upgrade",
      sentence: "the Docker engine was stopped and runs again",
    });
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
});
