import { randomUUID } from "node:crypto";
import { realPart } from "@molecule/testing/require-real";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { computeBackendContract } from "../../provisioning/compute-backend.contract.ts";
import { listContainers } from "./containers.ts";
import { instanceCreateOptions } from "./create-options.ts";
import { containerNameOf, networkNameOf, volumeNameOf } from "./names.ts";
import { type DockerTestBed, isEngineRunning, openDockerTestBed } from "./test-bed.ts";
import { limitsOfTier } from "./tiers.ts";

const never = new AbortController().signal;
const dockerHost = process.env.DOCKER_HOST;
const hasEngine = realPart(
  "A Docker engine",
  await isEngineRunning(dockerHost),
  "install docker.io and start dockerd (or run .ci/docker-engine.sh as root)",
);

describe.runIf(hasEngine)("on a real engine", () => {
  computeBackendContract("docker", async () => {
    const bed = await openDockerTestBed(dockerHost);
    const { name, runtime, tier, env } = bed.specOf();
    return {
      backend: bed.backend,
      specDefaults: { name, runtime, tier, env },
      servesHttp: true,
      crash: async (instance) => {
        await bed.engine.docker.getContainer(instance.providerId).kill();
        await waitUntil("the container has ended", async () => {
          const seen = await bed.backend.inspect(instance);
          return seen?.state === "exited";
        });
      },
      close: bed.close,
    };
  });

  describe("the docker backend", () => {
    let bed: DockerTestBed;

    beforeAll(async () => {
      bed = await openDockerTestBed(dockerHost);
      await bed.backend.prepare("demo", () => undefined, never);
    }, 240_000);
    afterAll(() => bed.close(), 60_000);

    it("I32 finishes a creation that a crash cut off between create and start", async () => {
      const spec = bed.specOf();
      const { name, body } = instanceCreateOptions(spec, {
        platformId: bed.platformId,
        image: await anyImage(bed),
        network: networkNameOf(bed.platformId),
        hostAddress: "host-gateway",
        platformPort: bed.platformPort,
        limits: limitsOfTier(2),
      });
      const half = await bed.engine.docker.createContainer({ name, ...body });
      expect(await bed.backend.inspect(spec)).toMatchObject({ state: "exited", exit: null });
      const adopted = await bed.backend.create(spec, never);
      expect(adopted).toMatchObject({ providerId: half.id, state: "running" });
      expect([...((await bed.backend.readConfigs(spec.workspaceId)) ?? [])]).toHaveLength(1);
      await bed.backend.remove(spec, never);
    });

    it("refuses to adopt a container that only has the name", async () => {
      const spec = bed.specOf();
      const stranger = await bed.engine.docker.createContainer({
        name: containerNameOf(spec),
        Image: await anyImage(bed),
      });
      await expect(bed.backend.create(spec, never)).rejects.toMatchObject({
        isRetryable: false,
        failure: { code: "create_failed" },
      });
      expect(await bed.backend.inspect(spec)).toBeNull();
      await bed.backend.remove(spec, never);
      expect((await stranger.inspect()).Id).toBe(stranger.id);
      await stranger.remove({ force: true });
    });

    it("neither uses nor removes volumes of another platform with the same workspace", async () => {
      const spec = bed.specOf();
      const other = await openDockerTestBed(dockerHost);
      await other.backend.create(spec, never);
      await other.backend.remove(spec, never);
      await expect(bed.backend.create(spec, never)).rejects.toMatchObject({
        isRetryable: false,
        failure: { code: "create_failed" },
      });
      await bed.backend.removeVolumes(spec.workspaceId);
      expect(await bed.backend.readConfigs(spec.workspaceId)).toBeNull();
      expect(await other.backend.readConfigs(spec.workspaceId)).not.toBeNull();
      await other.close();
    });

    it("I47 lists its own platform's containers only", async () => {
      const spec = bed.specOf();
      await bed.backend.create(spec, never);
      const other = await openDockerTestBed(dockerHost);
      expect(await other.backend.list()).toEqual([]);
      await other.close();
      await bed.backend.remove(spec, never);
    });

    it("labels the volumes that it makes", async () => {
      const spec = bed.specOf();
      await bed.backend.create(spec, never);
      for (const kind of ["configs", "workspace", "home", "plugins"] as const) {
        const name = volumeNameOf(spec.workspaceId, kind);
        const { Labels } = await bed.engine.docker.getVolume(name).inspect();
        expect(Labels).toMatchObject({
          "molecule.platform.managed": "true",
          "molecule.platform": bed.platformId,
          "molecule.workspace": spec.workspaceId,
        });
      }
      await bed.backend.remove(spec, never);
    });

    it("says that the memory limit ended a container", async () => {
      const spec = bed.specOf({ tier: 1 });
      const { providerId } = await bed.backend.create(spec, never);
      const hog = "const all=[];for(;;)all.push(Buffer.alloc(1e7,1))";
      const run = await bed.run(providerId, ["/usr/local/bin/node", "-e", hog]);
      expect(run.code).not.toBe(0);
      // The kernel takes the largest process; where that was the runtime, the container ended too.
      await bed.engine.docker
        .getContainer(providerId)
        .kill()
        .catch(() => undefined);
      await waitUntil("the container ended", async () => {
        return (await bed.backend.inspect(spec))?.state === "exited";
      });
      expect((await bed.backend.inspect(spec))?.exit).toBe("oom");
      await bed.backend.remove(spec, never);
    });

    it("recovers from a network that somebody pruned", async () => {
      const gateway = await bed.backend.bridgeGateway();
      expect(gateway).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      await bed.engine.docker.getNetwork(networkNameOf(bed.platformId)).remove();
      const spec = bed.specOf();
      await expect(bed.backend.create(spec, never)).rejects.toMatchObject({ isRetryable: true });
      const made = await bed.backend.create(spec, never);
      expect(made.state).toBe("running");
      await bed.backend.remove(spec, never);
    });

    it("keeps its network while a container runs on it, and gives it back afterwards", async () => {
      const other = await openDockerTestBed(dockerHost);
      const spec = other.specOf();
      await other.backend.create(spec, never);
      const network = other.engine.docker.getNetwork(networkNameOf(other.platformId));
      await other.backend.close();
      expect((await network.inspect()).Name).toBe(networkNameOf(other.platformId));
      await other.backend.remove(spec, never);
      await other.backend.close();
      await expect(network.inspect()).rejects.toMatchObject({ statusCode: 404 });
      await other.close();
    });

    it("leaves no helper behind, also where one failed", async () => {
      const workspaceId = randomUUID();
      const { files } = bed.backend;
      await files.write(workspaceId, "/workspace", { path: "a.txt", content: Buffer.from("a") });
      await expect(files.read(workspaceId, "/workspace", "none")).rejects.toMatchObject({
        code: "not_found",
      });
      expect(await listContainers(bed.engine, bed.platformId, workspaceId)).toEqual([]);
      await bed.backend.removeVolumes(workspaceId);
    });
  });
});

async function anyImage(bed: DockerTestBed): Promise<string> {
  const images = await bed.engine.docker.listImages({
    filters: { label: ["molecule.runtime=demo"] },
  });
  return images[0]?.Id ?? "";
}
