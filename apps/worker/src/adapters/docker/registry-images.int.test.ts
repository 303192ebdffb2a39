import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { realPart } from "@molecule/testing/require-real";
import { pack } from "tar-stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRuntimeImages, type RuntimeImages } from "../../images/runtime-images.ts";
import { createDockerFleetImages } from "./docker-fleet-images.ts";
import { createDockerImages } from "./docker-images.ts";
import { createEngine } from "./engine.ts";
import { instanceLabels } from "./names.ts";
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

const signal = new AbortController().signal;

describe.runIf(isComplete)("images from a real registry", () => {
  const engine = createEngine({ dockerHost });
  const docker = createDockerImages(engine);
  let registry: TestRegistry;
  let prefix: string;
  const lines: string[] = [];
  const progress = { signal, onProgress: (line: string) => void lines.push(line) };

  beforeAll(async () => {
    registry = await openTestRegistry();
    prefix = `${registry.host}/acme-${randomUUID().slice(0, 8)}`;
  });
  afterAll(async () => {
    // A tag that moved leaves its earlier image with a digest for its only name.
    const left = (await engine.docker.listImages()).filter(({ RepoDigests, RepoTags }) =>
      [...(RepoDigests ?? []), ...(RepoTags ?? [])].some((name) => name.startsWith(prefix)),
    );
    for (const { Id } of left) await forget(Id);
    await registry.close();
  });

  /** The engine has no image of this name. */
  async function forget(reference: string): Promise<void> {
    await engine.docker
      .getImage(reference)
      .remove({ force: true })
      .catch(() => undefined);
  }

  /** Publishes an image with this content; answers its id, and leaves nothing on the engine. */
  async function publish(tag: string, content: string): Promise<string> {
    const reference = `${prefix}/runtime-demo:${tag}`;
    const archive = pack();
    archive.entry({ name: "content" }, `${content} ${randomUUID()}`);
    archive.finalize();
    await docker.importRootfs(reference, Readable.from(archive), progress);
    const id = await idOf(reference);
    const image = engine.docker.getImage(reference);
    const stream = await image.push({ authconfig: { username: "", password: "" } });
    for await (const chunk of stream) expect(String(chunk)).not.toContain('"error"');
    await forget(reference);
    return id;
  }

  async function idOf(reference: string): Promise<string> {
    return (await engine.docker.getImage(reference).inspect()).Id;
  }

  function images(imageTag: string): RuntimeImages {
    return createRuntimeImages({
      engine: docker,
      imagePrefix: prefix,
      imageTag,
      version: "0.0.0",
      platformId: "platform",
      runtimeBundle: "/nonexistent/runtime.mjs",
      dockerfile: "/nonexistent/Dockerfile",
      nodePath: process.execPath,
      workFolder: "/nonexistent",
      nowMs: Date.now,
      agentPackage: async () => null,
    });
  }

  it("I6 a moving tag is followed at each start and a pinned one is not", async () => {
    for (const tag of ["latest", "1.2.3"]) {
      const reference = `${prefix}/runtime-demo:${tag}`;
      const own = images(tag);
      const first = await publish(tag, "first");
      expect(await own.prepare("demo", progress)).toBe(reference);
      const before = await idOf(reference);
      expect(before).toBe(first);
      const second = await publishBeside(reference, tag);
      await own.prepare("demo", progress);
      expect(await idOf(reference)).toBe(tag === "latest" ? second : first);
    }
    expect(lines.some((line) => line.startsWith("Pulling "))).toBe(true);
  }, 120_000);

  /** Publishes a newer image under the same tag; the engine keeps what it had. */
  async function publishBeside(reference: string, tag: string): Promise<string> {
    const kept = await idOf(reference);
    const keep = `${prefix}/kept:${tag}`;
    await engine.docker.getImage(reference).tag({ repo: `${prefix}/kept`, tag });
    const id = await publish(tag, "second");
    await engine.docker.getImage(kept).tag({ repo: `${prefix}/runtime-demo`, tag });
    await forget(keep);
    return id;
  }

  it("I8 I9 a refresh follows a pinned tag too, and tells which instances are on an older image", async () => {
    const platformId = randomUUID();
    const own = images("3.0.0");
    const options = { engine, imageEngine: docker, images: own, platformId, imagePrefix: prefix };
    const fleet = createDockerFleetImages(options);
    expect(await fleet.whyNot()).toBeNull();
    const reference = `${prefix}/runtime-demo:3.0.0`;
    const first = await publish("3.0.0", "first");
    expect(await fleet.refresh("demo", progress)).toEqual({
      reference,
      imageId: first,
      isPulled: true,
    });
    const key = { workspaceId: randomUUID(), attemptNo: 1 };
    const container = await engine.docker.createContainer({
      Image: reference,
      Cmd: ["never-started"],
      Labels: instanceLabels(platformId, key),
    });
    try {
      const before = await fleet.digestOf(reference);
      const second = await publishBeside(reference, "3.0.0");
      expect(await fleet.digestOf(reference)).not.toBe(before);
      expect(await fleet.refresh("demo", progress)).toMatchObject({ imageId: second });
      expect(await fleet.inUse()).toEqual([{ ...key, imageId: first }]);
    } finally {
      await container.remove({ force: true });
    }
    await expect(fleet.refresh("claude-code", progress)).rejects.toThrow();
  }, 120_000);

  it("I7 a registry that is down leaves the image that is here, and comes back by itself", async () => {
    const reference = `${prefix}/runtime-demo:latest`;
    const own = images("latest");
    const first = await publish("latest", "third");
    await own.prepare("demo", progress);
    await registry.stop();
    expect(await own.prepare("demo", progress)).toBe(reference);
    expect(await idOf(reference)).toBe(first);
    expect(lines.at(-1)).toContain("could not be pulled");
    await registry.start();
    const second = await publishBeside(reference, "latest");
    await own.prepare("demo", progress);
    expect(await idOf(reference)).toBe(second);
  }, 120_000);
});
