import { randomUUID } from "node:crypto";
import { decideHold, listHolds } from "@molecule/db/sweep/holds";
import { realPart } from "@molecule/testing/require-real";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aliasOf, instanceLabels, VOLUME_KINDS, volumeNameOf } from "../adapters/docker/names.ts";
import {
  type DockerTestBed,
  isEngineRunning,
  openDockerTestBed,
} from "../adapters/docker/test-bed.ts";
import { ADA } from "../restart/fake-platform.ts";
import { useRestartBed } from "../restart/restart-bed.fixture.ts";
import { openRealPlatform, type RealPlatform } from "./real-platform.fixture.ts";
import { toldActs } from "./sweep-bed.fixture.ts";

const dockerHost = process.env.DOCKER_HOST;
const hasEngine = realPart(
  "A Docker engine",
  await isEngineRunning(dockerHost),
  "install docker.io and start dockerd (or run .ci/docker-engine.sh as root)",
);
const bed = useRestartBed();
const signal = new AbortController().signal;

describe.runIf(hasEngine)("on a real engine", () => {
  let docker: DockerTestBed;
  let neighbour: DockerTestBed;
  let real: RealPlatform;

  beforeAll(async () => {
    docker = await openDockerTestBed(dockerHost);
    neighbour = await openDockerTestBed(dockerHost);
    await docker.backend.prepare("demo", () => undefined, signal);
  }, 240_000);
  beforeEach(() => {
    real = openRealPlatform(bed, docker.backend);
  });
  afterEach(() => real.stop());
  afterAll(async () => {
    await docker.close();
    await neighbour.close();
  }, 60_000);

  /** Containers with the labels of instances, as cheap as they come: made and never started. */
  async function makeInstances(of: DockerTestBed, workspaceIds: readonly string[]) {
    const image = await docker.engine.docker.listImages({
      filters: { label: ["molecule.runtime=demo"] },
    });
    for (const workspaceId of workspaceIds) {
      await docker.engine.docker.createContainer({
        Image: image[0]?.Id ?? "",
        Labels: instanceLabels(of.platformId, { workspaceId, attemptNo: 1 }),
      });
    }
  }

  const listed = async (of: DockerTestBed) =>
    (await of.backend.list()).map((one) => one.providerId).sort();

  it("heals a wiped container with wiped volumes: new attempt, new token, the acknowledged files back", async () => {
    const { platform, prober } = real;
    const id = await platform.createWorkspace();
    await platform.writeFiles(id, { "kept.md": "acknowledged" });
    await real.beatUntilReady(id, 1);
    await prober.probe();
    await prober.probe();
    const [old] = await docker.backend.list();

    await docker.engine.docker.getContainer(old?.providerId ?? "").remove({ force: true });
    for (const kind of VOLUME_KINDS) {
      await docker.engine.docker.getVolume(volumeNameOf(id, kind)).remove();
    }
    expect(await docker.backend.list()).toEqual([]);
    await prober.probe();
    await bed.later(11_000);
    await real.beatUntilReady(id, 2);

    expect(await platform.attempts(id)).toMatchObject([{ no: 1 }, { no: 2, reason: "crash" }]);
    const [made] = await docker.backend.list();
    const read = async (file: string) =>
      (await docker.run(made?.providerId ?? "", ["cat", `/configs/${file}`])).output;
    expect(await read("kept.md")).toBe("acknowledged");
    expect(await read(".auth_token")).toBe(await real.tokenOf(id, 2));
    expect((await platform.beatWithToken(await real.tokenOf(id, 1))).status).toBe(409);
    await docker.backend.remove({ workspaceId: id, attemptNo: 2 }, signal);
  }, 120_000);

  it("G11: takes a container that is fenced off every network, and the next one has its alias", async () => {
    const spec = docker.specOf();
    const old = await docker.backend.create(spec, signal);
    await docker.backend.fence(spec, signal);
    const next = await docker.backend.create({ ...spec, attemptNo: 2 }, signal);
    const networksOf = async (id: string) =>
      (await docker.engine.docker.getContainer(id).inspect()).NetworkSettings.Networks;
    expect(Object.keys(await networksOf(old.providerId))).toEqual([]);
    const [network] = Object.values(await networksOf(next.providerId));
    expect(network?.Aliases).toContain(aliasOf(spec.workspaceId));
    for (const attemptNo of [1, 2]) await docker.backend.remove({ ...spec, attemptNo }, signal);
    await docker.backend.removeVolumes(spec.workspaceId);
  }, 120_000);

  it("I46 I47 removes labelled containers that no row knows, and none of another platform", async () => {
    const shared = randomUUID();
    await makeInstances(docker, [shared, randomUUID()]);
    await makeInstances(neighbour, [shared, randomUUID()]);
    const theirs = await listed(neighbour);
    const before = (await toldActs(bed)).length;
    await real.sweeper.sweep(signal);
    expect(await listed(docker)).toEqual([]);
    expect(await listed(neighbour)).toEqual(theirs);
    const told = (await toldActs(bed)).slice(before);
    expect(told.map(({ action, rule }) => `${action} ${rule}`)).toEqual([
      "instance_removed G3",
      "instance_removed G3",
    ]);
  }, 120_000);

  it("G5 G8: asks before it removes many, and removes exactly those, and none of another platform", async () => {
    const ids = Array.from({ length: 6 }, () => randomUUID());
    await makeInstances(docker, ids);
    await makeInstances(neighbour, ids);
    const [mine, theirs] = [await listed(docker), await listed(neighbour)];
    await real.sweeper.sweep(signal);
    expect(await listed(docker)).toEqual(mine);
    const [hold] = await listHolds(bed.database.db);
    if (hold?.evidence.kind !== "removals") throw new Error("it asks about removals");
    expect(hold.evidence.removals.map((one) => one.providerId).sort()).toEqual(mine);
    const answer = { id: hold.id, to: "confirmed", actor: ADA } as const;
    await bed.database.db.transaction((tx) => decideHold(tx, answer));
    await real.sweeper.sweep(signal);
    expect(await listed(docker)).toEqual([]);
    expect(await listed(neighbour)).toEqual(theirs);
  }, 120_000);
});
