import { realPart } from "@molecule/testing/require-real";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { useRestartBed } from "../../restart/restart-bed.fixture.ts";
import { restartSettings } from "../../restart/settings.ts";
import { Sweeper } from "../../restart/sweeper.ts";
import { SILENT_LOG } from "../../runtime/log.ts";
import { instanceCreateOptions, NODE_IN_IMAGE } from "./create-options.ts";
import { type EngineFault, type EngineProxy, openEngineProxy } from "./engine-proxy.fixture.ts";
import { networkNameOf } from "./names.ts";
import { type DockerTestBed, isEngineRunning, openDockerTestBed } from "./test-bed.ts";
import { limitsOfTier } from "./tiers.ts";

const never = new AbortController().signal;
const hasEngine = realPart(
  "A Docker engine",
  await isEngineRunning(process.env.DOCKER_HOST),
  "install docker.io and start dockerd (or run .ci/docker-engine.sh as root)",
);
const DEAF_AGENT =
  "process.on('SIGTERM', () => {}); console.log('deaf'); setInterval(() => {}, 1e3)";

describe.runIf(hasEngine)("the lifecycle's list on a real engine", () => {
  const database = useRestartBed();
  let proxy: EngineProxy;
  let docker: DockerTestBed;

  beforeAll(async () => {
    proxy = await openEngineProxy(process.env.DOCKER_HOST);
    docker = await openDockerTestBed(proxy.dockerHost);
    await docker.backend.prepare("demo", () => undefined, never);
  }, 240_000);
  afterEach(() => {
    proxy.spoil(null);
    proxy.isDown = false;
  });
  afterAll(async () => {
    await docker.close();
    await proxy[Symbol.asyncDispose]();
  }, 60_000);

  /** The first `times` requests that match get `fault`; answers how many did. */
  const spoil = (matches: RegExp, times: number, fault: EngineFault) => {
    let left = times;
    proxy.spoil((method, address) => {
      if (left === 0 || !matches.test(`${method} ${address}`)) return null;
      left -= 1;
      return fault;
    });
    return () => times - left;
  };
  const listedOf = async (workspaceId: string) =>
    (await docker.backend.list()).filter((one) => one.workspaceId === workspaceId);
  /** A sweeper that waits for nothing, on this engine. */
  const sweeperOf = (bed: DockerTestBed) => {
    const times = { scale: 1, bootTimeoutMs: 1, leaseMs: 15_000, pollMs: 1_000, concurrency: 1 };
    return new Sweeper({
      db: database.database.db,
      backends: [bed.backend],
      settings: { ...restartSettings(times), sweepEveryMs: 3_600_000, orphanGraceMs: 0 },
      log: SILENT_LOG,
    });
  };
  const sweep = async (bed: DockerTestBed) => {
    const sweeper = sweeperOf(bed);
    await sweeper.sweep(never);
    await sweeper.stop();
  };

  it("I28 an agent that ignores SIGTERM is gone when its removal resolves", {
    timeout: 120_000,
  }, async () => {
    const spec = docker.specOf();
    const [image] = await docker.engine.docker.listImages({
      filters: { label: ["molecule.runtime=demo"] },
    });
    await docker.backend.bridgeGateway();
    const { name, body } = instanceCreateOptions(spec, {
      platformId: docker.platformId,
      image: image?.Id ?? "",
      network: networkNameOf(docker.platformId),
      hostAddress: "host-gateway",
      platformPort: docker.platformPort,
      limits: limitsOfTier(2),
    });
    const deaf = { Entrypoint: [NODE_IN_IMAGE], Cmd: ["-e", DEAF_AGENT] };
    const container = await docker.engine.docker.createContainer({ name, ...body, ...deaf });
    await container.start();
    await waitUntil("it ignores the signal", async () => {
      return (await docker.backend.logs(spec.workspaceId, 1, 1)).includes("deaf");
    });
    await docker.backend.remove(spec, never);
    expect(await docker.backend.inspect(spec)).toBeNull();
  });

  it("I29 an engine that answers 500 thrice has removed nothing until it has", {
    timeout: 120_000,
  }, async () => {
    const spec = docker.specOf();
    await docker.backend.create(spec, never);
    spoil(/^(DELETE|POST) \/containers\/\w+(\/stop)?\?/, 6, { status: 500, message: "no" });
    for (let count = 0; count < 3; count += 1) {
      await expect(docker.backend.remove(spec, never)).rejects.toMatchObject({ isRetryable: true });
      expect(await listedOf(spec.workspaceId)).toHaveLength(1);
    }
    proxy.spoil(null);
    await docker.backend.remove(spec, never);
    expect(await listedOf(spec.workspaceId)).toEqual([]);
  });

  it.each([
    [404, "No such container"],
    [409, "removal of container is already in progress"],
  ])(
    "I30 a removal that is answered %i, as another one is under way, is a success",
    {
      timeout: 120_000,
    },
    async (status, message) => {
      const spec = docker.specOf();
      await docker.backend.create(spec, never);
      const spoiled = spoil(/^DELETE \/containers\//, 1, { status, message, after: true });
      await docker.backend.remove(spec, never);
      expect(spoiled()).toBe(1);
      expect(await listedOf(spec.workspaceId)).toEqual([]);
    },
  );

  it("I31 a creation whose answer was lost is found again by its name", {
    timeout: 120_000,
  }, async () => {
    const spec = docker.specOf();
    const spoiled = spoil(/^POST \/containers\/create/, 1, "lose");
    await expect(docker.backend.create(spec, never)).rejects.toMatchObject({ isRetryable: true });
    expect(spoiled()).toBe(1);
    const [left, ...others] = await listedOf(spec.workspaceId);
    expect(others).toEqual([]);
    const made = await docker.backend.create(spec, never);
    expect(made).toMatchObject({ providerId: left?.providerId, state: "running" });
    expect([...((await docker.backend.readConfigs(spec.workspaceId)) ?? []).keys()]).toContain(
      "config.yaml",
    );
    await docker.backend.remove(spec, never);
  });

  it("I33 a start whose answer was lost is repeated with the same token and makes nothing new", {
    timeout: 120_000,
  }, async () => {
    const spec = docker.specOf();
    spoil(/^POST \/containers\/\w+\/start/, 1, "lose");
    await expect(docker.backend.create(spec, never)).rejects.toMatchObject({ isRetryable: true });
    const [first] = await listedOf(spec.workspaceId);
    const again = await docker.backend.create(spec, never);
    expect(again).toMatchObject({ providerId: first?.providerId, state: "running" });
    expect(await listedOf(spec.workspaceId)).toHaveLength(1);
    await docker.backend.remove(spec, never);
  });

  it("I34 what a creation makes after the deletion is swept, with its volumes", {
    timeout: 120_000,
  }, async () => {
    const platform = database.open();
    const workspaceId = await platform.createWorkspace({ backend: "docker" });
    await database.sql`
      UPDATE workspaces SET intent = 'deleted', phase = 'DELETED', removed_at = cp_now()
      WHERE id = ${workspaceId}`;
    await docker.backend.create(docker.specOf({ workspaceId }), never);
    await sweep(docker);
    expect(await listedOf(workspaceId)).toEqual([]);
    expect(await docker.backend.readConfigs(workspaceId)).toBeNull();
  });

  it("I45 an engine that is down costs neither a container nor a token", {
    timeout: 120_000,
  }, async () => {
    const platform = database.open();
    const workspaceId = await platform.createWorkspace({ backend: "docker" });
    await docker.backend.create(docker.specOf({ workspaceId, attemptNo: 1 }), never);
    await database.sql`
      INSERT INTO workspace_tokens (workspace_id, attempt_no, kind, token_sha256, prefix)
      VALUES (${workspaceId}, 1, 'attempt', sha256('token'), 'wst_')`;
    await database.sql`UPDATE workspaces SET current_attempt = 1 WHERE id = ${workspaceId}`;
    proxy.isDown = true;
    await sweep(docker);
    proxy.isDown = false;
    expect(await listedOf(workspaceId)).toHaveLength(1);
    const [token] = await database.sql`
      SELECT revoked_at FROM workspace_tokens WHERE workspace_id = ${workspaceId}`;
    expect(token).toEqual({ revoked_at: null });
    await docker.backend.remove({ workspaceId, attemptNo: 1 }, never);
  });

  it("I46 I47 after a wiped database a platform knows its own containers, and no other's", {
    timeout: 120_000,
  }, async () => {
    const other = await openDockerTestBed(process.env.DOCKER_HOST);
    try {
      const [mine, theirs] = [docker.specOf(), other.specOf()];
      await docker.backend.create(mine, never);
      await other.backend.create(theirs, never);
      await sweep(docker);
      expect(await listedOf(mine.workspaceId)).toEqual([]);
      expect(await other.backend.inspect(theirs)).toMatchObject({ state: "running" });
      await other.backend.remove(theirs, never);
    } finally {
      await other.close();
    }
  });
});
