import { randomBytes, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { HELD_REPOSITORY, heldTag } from "@molecule/domain/engine-images";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { realPart } from "@molecule/testing/require-real";
import { pack } from "tar-stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ImagePruner } from "../../fleet/image-pruner.ts";
import { IMAGE_PLATFORM_LABEL, type RuntimeImages } from "../../images/runtime-images.ts";
import { SILENT_LOG } from "../../runtime/log.ts";
import { createDockerPruning } from "./docker-image-pruning.ts";
import { createDockerImages } from "./docker-images.ts";
import { createEngine } from "./engine.ts";
import { isEngineRunning } from "./test-bed.ts";
import { hasRegistry, openTestRegistry, type TestRegistry } from "./test-registry.fixture.ts";

const dockerHost = process.env.DOCKER_HOST;
const hasEngine = realPart(
  "A Docker engine",
  await isEngineRunning(dockerHost),
  "install docker.io and start dockerd (or run .ci/docker-engine.sh as root)",
);
const isComplete =
  realPart("A registry", await hasRegistry(), "install docker-registry") && hasEngine;

const HOUR = 3_600_000;
const signal = new AbortController().signal;
const progress = { signal, onProgress: () => undefined };

// Everything here is named under a prefix of its own, and the pruner sees no further than that.
describe.runIf(isComplete)("images that pile up on a real engine", () => {
  const engine = createEngine({ dockerHost });
  const docker = createDockerImages(engine);
  const ours = randomUUID();
  const theirs = randomUUID();
  let test: TestDatabase;
  let registry: TestRegistry;
  let prefix: string;
  beforeAll(async () => {
    test = await createTestDatabase();
    registry = await openTestRegistry();
    prefix = `${registry.host}/acme-${randomUUID().slice(0, 8)}`;
  });
  afterAll(async () => {
    for (const { Id, RepoTags, RepoDigests } of await engine.docker.listImages()) {
      const names = [...(RepoTags ?? []), ...(RepoDigests ?? [])];
      const isOfTest = names.some(
        (name) => name.startsWith(prefix) || name.includes(ours) || name.includes(theirs),
      );
      if (isOfTest) await engine.docker.getImage(Id).remove({ force: true });
    }
    await registry.close();
    await test.close();
  });

  /** An image as `platformId` makes it, under a name that nothing else has. */
  async function make(platformId: string): Promise<string> {
    const reference = `${prefix}/runtime-demo:0.0.0-${randomBytes(6).toString("hex")}`;
    const context = pack();
    context.entry({ name: "content" }, randomUUID());
    context.entry({ name: "Dockerfile" }, "FROM scratch\nCOPY content /content\n");
    context.finalize();
    const labels = { [IMAGE_PLATFORM_LABEL]: platformId };
    const archive = Readable.from(context);
    await docker.build({ reference, context: archive, buildArgs: {}, labels }, progress);
    return reference;
  }

  /** A published image that is pulled; answers its id. */
  async function pull(): Promise<string> {
    const reference = `${prefix}/runtime-demo:latest`;
    const made = await make(theirs);
    const image = engine.docker.getImage(made);
    await image.tag({ repo: `${prefix}/runtime-demo`, tag: "latest" });
    const stream = await engine.docker
      .getImage(reference)
      .push({ authconfig: { username: "", password: "" } });
    for await (const chunk of stream) expect(String(chunk)).not.toContain('"error"');
    await engine.docker.getImage(made).remove();
    await docker.pull(reference, progress);
    return (await docker.idOf(reference)) ?? "";
  }

  const isThere = async (reference: string) => (await docker.idOf(reference)) !== null;

  function prunerOf(platformId: string, known: readonly string[]): ImagePruner {
    const images = {
      known: () => new Map(known.map((reference, n) => [n === 0 ? "demo" : `demo${n}`, reference])),
    } as Partial<RuntimeImages> as RuntimeImages;
    const pruner = new ImagePruner({
      db: test.db,
      images: createDockerPruning({
        engine,
        images,
        platformId,
        prefix,
        whyNot: async () => null,
      }),
      graceMs: 24 * HOUR,
      // Rounds are the test's own.
      everyMs: 24 * HOUR,
      firstAfterMs: 24 * HOUR,
      log: SILENT_LOG,
    });
    return pruner;
  }

  it("I20 I21 I23 goes only what nothing on the engine needs, after the grace", async () => {
    const old = await make(ours);
    const used = await make(ours);
    const copied = await make(ours);
    const shared = await make(ours);
    const foreign = await make(theirs);
    const current = await make(ours);
    await engine.docker.getImage(copied).tag({ repo: `${prefix}/mine`, tag: "1" });
    const container = await engine.docker.createContainer({ Image: used, Cmd: ["never-started"] });
    const pulledFirst = await pull();
    const pulledSecond = await pull();
    expect(pulledSecond).not.toBe(pulledFirst);
    // The other platform on this engine starts its workspaces from an image that this one made.
    const other = prunerOf(theirs, [shared]);
    const own = prunerOf(ours, [current]);
    try {
      await other.prune(signal);
      await own.prune(signal);
      const everything = [old, used, copied, shared, foreign, current, pulledFirst, pulledSecond];
      for (const reference of everything) expect(await isThere(reference), reference).toBe(true);
      expect(await isThere(`${HELD_REPOSITORY}:${heldTag(ours, "demo")}`)).toBe(true);
      await test.setSkewMs(23 * HOUR);
      await own.prune(signal);
      expect(await isThere(old)).toBe(true);
      await test.setSkewMs(25 * HOUR);
      await own.prune(signal);
      expect(await isThere(old)).toBe(false);
      expect(await isThere(pulledFirst)).toBe(false);
      for (const reference of [used, copied, shared, foreign, current, pulledSecond]) {
        expect(await isThere(reference), reference).toBe(true);
      }
      // The hold follows what starts are made from; what it leaves waits from then on.
      const newest = await make(ours);
      const upgraded = prunerOf(ours, [newest]);
      await upgraded.prune(signal);
      await container.remove({ force: true });
      await upgraded.prune(signal);
      await test.setSkewMs(26 * HOUR);
      await upgraded.prune(signal);
      expect([await isThere(current), await isThere(used)]).toEqual([true, true]);
      await test.setSkewMs(51 * HOUR);
      await upgraded.prune(signal);
      expect([await isThere(current), await isThere(used)]).toEqual([false, false]);
      expect([await isThere(newest), await isThere(shared)]).toEqual([true, true]);
      await upgraded.stop();
    } finally {
      await container.remove({ force: true }).catch(() => undefined);
      await other.stop();
      await own.stop();
    }
  }, 120_000);

  it("I22 the engine has the last word: what got a container meanwhile stays", async () => {
    const reference = await make(ours);
    const container = await engine.docker.createContainer({ Image: reference, Cmd: ["never"] });
    const images = { known: () => new Map() } as Partial<RuntimeImages> as RuntimeImages;
    const pruning = createDockerPruning({
      engine,
      images,
      platformId: ours,
      prefix,
      whyNot: async () => null,
    });
    try {
      const listed = (await pruning.list()).find(({ names }) => names.includes(reference));
      expect(listed).toMatchObject({ isOwn: true, isUsed: true });
      expect(await pruning.remove(listed ?? fail())).toBe(false);
      expect(await isThere(reference)).toBe(true);
    } finally {
      await container.remove({ force: true });
    }
    const listed = (await pruning.list()).find(({ names }) => names.includes(reference));
    expect(await pruning.remove(listed ?? fail())).toBe(true);
    expect(await pruning.remove(listed ?? fail())).toBe(true);
    expect(await isThere(reference)).toBe(false);
  }, 60_000);
});

function fail(): never {
  throw new Error("the image is not in the listing");
}
