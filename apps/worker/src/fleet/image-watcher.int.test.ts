import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { FakeBackend } from "../provisioning/fake-backend.ts";
import type { FakePlatform } from "../restart/fake-platform.ts";
import { until, useRestartBed } from "../restart/restart-bed.fixture.ts";
import { SILENT_LOG } from "../runtime/log.ts";
import { createFakeFleetImages, type FakeFleetImages } from "./fake-fleet-images.ts";
import { ImageWatcher } from "./image-watcher.ts";

const DEMO = "acme/runtime-demo:latest";
/** A watcher asks for due images ten times as often; what is due the bed's clock decides. */
const EVERY_MS = 600;

describe("the image watcher", () => {
  const bed = useRestartBed();
  const watchers: ImageWatcher[] = [];
  afterEach(async () => {
    for (const watcher of watchers.splice(0)) await watcher.stop();
    await bed.sql`DELETE FROM watched_images`;
  });

  function openPlatform(): { platform: FakePlatform; images: FakeFleetImages } {
    const platform = bed.open({ backend: new FakeBackend("docker") });
    platform.startWorker();
    return { platform, images: createFakeFleetImages(platform.backend) };
  }

  function startWatcher(platform: FakePlatform, images: FakeFleetImages): ImageWatcher {
    const { lifecycle, leaseMs } = platform.settings;
    const watcher = new ImageWatcher({
      db: bed.database.db,
      owner: randomUUID(),
      images,
      settle: lifecycle.settle,
      leaseMs,
      everyMs: EVERY_MS,
      log: SILENT_LOG,
    });
    watchers.push(watcher);
    return watcher;
  }

  async function remembered(): Promise<unknown> {
    const [row] = await bed.sql`SELECT digest FROM watched_images WHERE reference = ${DEMO}`;
    return row?.digest ?? null;
  }

  const remembers = (digest: string) =>
    until(`${digest} is remembered`, async () => (await remembered()) === digest);

  it("I11 I12 remembers first, follows a newer image, and tries again what it could not follow", async () => {
    const { platform, images } = openPlatform();
    images.publish("demo", "older than the first look");
    const id = await platform.createWorkspace();
    await bed.isReady(platform, id, 1);
    images.publish("demo", "A");
    const first = startWatcher(platform, images);
    await remembers("digest of A");
    expect(images.refreshed).toEqual([]);
    await first.stop();
    // What was seen is in the database: another worker notices the difference.
    images.publish("demo", "B");
    images.refused.add("claude-code");
    const refusing = images.during;
    images.during = () => Promise.reject(new Error("the pull broke off"));
    startWatcher(platform, images);
    await until("it tries", () => images.refreshed.length >= 2);
    expect(await remembered()).toBe("digest of A");
    expect((await platform.see(id)).desired).toBe(1);
    images.during = refusing;
    await remembers("digest of B");
    await bed.isReady(platform, id, 2);
    expect(await bed.attemptOf(platform, id, 2)).toMatchObject({
      reason: "image",
      actor: "Molecule",
      sentence: "a newer runtime image",
    });
    const events = (await platform.events(id)).filter(
      ({ event }) => event === "WORKSPACE_AUTO_RESTART_FIRED",
    );
    expect(events.map(({ payload }) => payload.reason)).toEqual(["image"]);
  }, 60_000);

  it("I12 a registry that is down changes nothing", async () => {
    const { platform, images } = openPlatform();
    startWatcher(platform, images);
    await remembers("digest of first demo");
    images.isRegistryDown = true;
    const looks = images.looks.length;
    await until("it has looked again", () => images.looks.length >= looks + 4);
    expect(await remembered()).toBe("digest of first demo");
    expect(images.refreshed).toEqual([]);
  }, 60_000);

  it("I13 of several workers one looks, and a paused one that wakes up writes nothing", async () => {
    const { platform, images } = openPlatform();
    const id = await platform.createWorkspace();
    await bed.isReady(platform, id, 1);
    startWatcher(platform, images);
    await remembers("digest of first demo");
    await watchers.splice(0)[0]?.stop();
    images.publish("demo", "B");
    const gate = bed.gate();
    images.during = gate.wait;
    const looksBefore = images.looks.filter((name) => name === DEMO).length;
    for (const _worker of [1, 2, 3]) startWatcher(platform, images);
    await until("one pulls", () => images.refreshed.length === 1);
    // Everybody asks for due images many times meanwhile.
    const others = () => images.looks.filter((name) => name !== DEMO).length;
    const seen = others();
    await until("the others go on with their own", () => others() >= seen + 3);
    expect(images.refreshed).toEqual(["demo"]);
    expect(images.looks.filter((name) => name === DEMO)).toHaveLength(looksBefore + 1);
    // Its lease runs out and another one takes over with a newer image.
    images.during = async () => undefined;
    images.publish("demo", "C");
    await bed.sql`UPDATE watched_images SET lease_until = cp_now() - interval '1 second' WHERE reference = ${DEMO}`;
    await remembers("digest of C");
    gate.open();
    await until("the first has ended its look", () => images.looks.length > 0);
    for (const watcher of watchers.splice(0)) await watcher.stop();
    expect(await remembered()).toBe("digest of C");
    await until("the workspace runs on the newest image", async () => {
      const { phase, applied, desired } = await platform.see(id);
      return phase === "READY" && applied === desired && desired >= 2;
    });
  }, 60_000);
});
