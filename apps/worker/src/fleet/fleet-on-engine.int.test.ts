import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { addFleetJob, findFleetJob } from "@molecule/db/fleet/fleet-jobs";
import { realPart } from "@molecule/testing/require-real";
import { pack } from "tar-stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDockerFleetImages } from "../adapters/docker/docker-fleet-images.ts";
import { createDockerImages } from "../adapters/docker/docker-images.ts";
import { createEngine } from "../adapters/docker/engine.ts";
import { instanceLabels } from "../adapters/docker/names.ts";
import { isEngineRunning } from "../adapters/docker/test-bed.ts";
import {
  hasRegistry,
  openTestRegistry,
  type TestRegistry,
} from "../adapters/docker/test-registry.fixture.ts";
import { createRuntimeImages, type RuntimeImages } from "../images/runtime-images.ts";
import type { Instance, InstanceKey, InstanceSpec } from "../provisioning/compute-backend.ts";
import { FakeBackend } from "../provisioning/fake-backend.ts";
import { ADA, type FakePlatform } from "../restart/fake-platform.ts";
import { until, useRestartBed } from "../restart/restart-bed.fixture.ts";
import { SILENT_LOG } from "../runtime/log.ts";
import { FleetJobs } from "./fleet-jobs.ts";
import { ImageWatcher } from "./image-watcher.ts";

const dockerHost = process.env.DOCKER_HOST;
const hasEngine = realPart(
  "A Docker engine",
  await isEngineRunning(dockerHost),
  "install docker.io and start dockerd (or run .ci/docker-engine.sh as root)",
);
const isComplete =
  realPart("A registry", await hasRegistry(), "install docker-registry") && hasEngine;
const progress = { signal: new AbortController().signal, onProgress: () => undefined };

/**
 * Agents in memory whose containers are real ones, made from the runtime's real image and never
 * started: the images of this test hold nothing that could run.
 */
class ShellBackend extends FakeBackend {
  readonly #engine = createEngine({ dockerHost });
  readonly #images: RuntimeImages;
  readonly #platformId: string;
  readonly #containers = new Map<string, string>();

  constructor(images: RuntimeImages, platformId: string) {
    super("docker");
    this.#images = images;
    this.#platformId = platformId;
  }

  override async prepare(): Promise<void> {
    await this.#images.prepare("demo", progress);
  }

  override async create(spec: InstanceSpec, signal: AbortSignal): Promise<Instance> {
    const name = keyOf(spec);
    if (!this.#containers.has(name)) {
      const container = await this.#engine.docker.createContainer({
        Image: await this.#images.ensure("demo", progress),
        Cmd: ["never-started"],
        Labels: instanceLabels(this.#platformId, spec),
      });
      this.#containers.set(name, container.id);
    }
    return await super.create(spec, signal);
  }

  override async remove(key: InstanceKey, signal: AbortSignal): Promise<void> {
    const id = this.#containers.get(keyOf(key));
    if (id !== undefined) await this.#engine.docker.getContainer(id).remove({ force: true });
    this.#containers.delete(keyOf(key));
    await super.remove(key, signal);
  }

  /** The id of the image that a workspace's container is made from. */
  async imageOf(key: InstanceKey): Promise<string> {
    const id = this.#containers.get(keyOf(key)) ?? "none";
    return (await this.#engine.docker.getContainer(id).inspect()).Image;
  }

  async close(): Promise<void> {
    for (const id of this.#containers.values()) {
      await this.#engine.docker.getContainer(id).remove({ force: true });
    }
  }
}

function keyOf({ workspaceId, attemptNo }: InstanceKey): string {
  return `${workspaceId}/${attemptNo}`;
}

describe.runIf(isComplete)("a fleet on a real engine and a real registry", () => {
  const bed = useRestartBed();
  const engine = createEngine({ dockerHost });
  const docker = createDockerImages(engine);
  const platformId = randomUUID();
  let registry: TestRegistry;
  let prefix: string;
  let backend: ShellBackend;
  let images: RuntimeImages;
  beforeAll(async () => {
    registry = await openTestRegistry();
    prefix = `${registry.host}/acme-${randomUUID().slice(0, 8)}`;
    images = createRuntimeImages({
      engine: docker,
      imagePrefix: prefix,
      imageTag: "latest",
      version: "0.0.0",
      platformId,
      runtimeBundle: "/nonexistent/runtime.mjs",
      dockerfile: "/nonexistent/Dockerfile",
      nodePath: process.execPath,
      workFolder: "/nonexistent",
      nowMs: Date.now,
      agentPackage: async () => null,
    });
    backend = new ShellBackend(images, platformId);
  });
  afterAll(async () => {
    await backend.close();
    const left = (await engine.docker.listImages()).filter(({ RepoDigests, RepoTags }) =>
      [...(RepoDigests ?? []), ...(RepoTags ?? [])].some((name) => name.startsWith(prefix)),
    );
    for (const { Id } of left) await engine.docker.getImage(Id).remove({ force: true });
    await registry.close();
  });

  /** Publishes another image under the moving tag, from elsewhere: the engine's own stays. */
  async function publish(): Promise<string> {
    const elsewhere = `${prefix}/built-elsewhere:${randomUUID().slice(0, 8)}`;
    const archive = pack();
    archive.entry({ name: "content" }, randomUUID());
    archive.finalize();
    await docker.importRootfs(elsewhere, Readable.from(archive), progress);
    const id = (await docker.idOf(elsewhere)) ?? "";
    const here = await docker.idOf(`${prefix}/runtime-demo:latest`);
    const [repo, tag] = [`${prefix}/runtime-demo`, "latest"];
    await engine.docker.getImage(elsewhere).tag({ repo, tag });
    const image = engine.docker.getImage(`${repo}:${tag}`);
    const stream = await image.push({ authconfig: { username: "", password: "" } });
    for await (const chunk of stream) expect(String(chunk)).not.toContain('"error"');
    if (here === null) await image.remove({ force: true });
    else await engine.docker.getImage(here).tag({ repo, tag });
    return id;
  }

  function openPlatform(): FakePlatform {
    const platform = bed.open({ backend });
    platform.startWorker();
    return platform;
  }

  const fleetImages = () =>
    createDockerFleetImages({
      engine,
      imageEngine: docker,
      images,
      platformId,
      imagePrefix: prefix,
    });

  it("I8 I9 I10 I11 a refresh and the watcher bring a workspace onto the newer image", async () => {
    const first = await publish();
    const platform = openPlatform();
    const id = await platform.createWorkspace();
    await bed.isReady(platform, id, 1);
    expect(await backend.imageOf({ workspaceId: id, attemptNo: 1 })).toBe(first);

    const second = await publish();
    const { db } = bed.database;
    const options = { db, images: fleetImages(), log: SILENT_LOG };
    const { settings } = platform;
    const jobs = new FleetJobs({ ...options, owner: randomUUID(), settings });
    const wish = { kind: "image_refresh", runtime: "demo", actor: ADA } as const;
    const job = await db.transaction((tx) => addFleetJob(tx, wish));
    await until("the refresh is done", async () => {
      return (await findFleetJob(db, job?.id ?? ""))?.status === "done";
    });
    expect((await findFleetJob(db, job?.id ?? ""))?.result).toEqual({
      pulled: ["demo"],
      failed: [],
      recreated: [id],
    });
    await jobs.stop();
    await bed.isReady(platform, id, 2);
    expect(await backend.imageOf({ workspaceId: id, attemptNo: 2 })).toBe(second);

    const { leaseMs, lifecycle } = settings;
    const watch = () => {
      const watching = { owner: randomUUID(), settle: lifecycle.settle, leaseMs, everyMs: 2_000 };
      return new ImageWatcher({ ...options, ...watching });
    };
    const firstLook = watch();
    await until("the watcher has had its first look", async () => {
      const rows = await bed.sql`
        SELECT 1 FROM watched_images WHERE runtime = 'demo' AND digest IS NOT NULL`;
      return rows.length === 1;
    });
    // Publishing moves the engine's own tag for a moment, and what was seen is in the database.
    await firstLook.stop();
    const third = await publish();
    const watcher = watch();
    await bed.isReady(platform, id, 3);
    await watcher.stop();
    expect(await backend.imageOf({ workspaceId: id, attemptNo: 3 })).toBe(third);
    expect((await platform.attempts(id)).map(({ reason, sentence }) => [reason, sentence])).toEqual(
      [
        ["create", "created by Ada"],
        ["image", "a newer runtime image, asked for by Ada"],
        ["image", "a newer runtime image"],
      ],
    );
  }, 120_000);
});
