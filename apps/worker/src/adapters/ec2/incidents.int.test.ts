import { noMachines } from "@molecule/testing/cloud/machine-host";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterEach, describe, expect, it } from "vitest";
import {
  BackendError,
  type Instance,
  type InstanceKey,
  type InstanceSpec,
} from "../../provisioning/compute-backend.ts";
import { FakeBackend, type FakeInstance } from "../../provisioning/fake-backend.ts";
import { useRestartBed } from "../../restart/restart-bed.fixture.ts";
import { ANSWER_MARK } from "./machine-program.ts";
import type { MachineShell } from "./machine-shell.ts";
import { type Ec2TestBed, type Ec2TestBedOptions, openEc2TestBed } from "./test-bed.fixture.ts";

const restart = useRestartBed();
const never = new AbortController().signal;
const beds: Ec2TestBed[] = [];
afterEach(async () => {
  for (const bed of beds.splice(0)) await bed[Symbol.asyncDispose]();
});

/** Machines that do what they are told; `told` has every operation in order. */
function willingShell(): MachineShell & { readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    run: async (_machine, { stdin }) => {
      const program = new TextDecoder().decode(stdin.subarray(0, 4_096));
      const op = /"op":"(\w+)"/.exec(program)?.[1] ?? "";
      told.push(op);
      const value = op === "hello" ? { isPrepared: true, attempt: null, runtimeSha: null } : {};
      const answer = `${ANSWER_MARK}${JSON.stringify({ ok: true, value })}`;
      return { code: 0, stdout: new TextEncoder().encode(answer), stderr: "" };
    },
    forget: () => undefined,
    close: async () => undefined,
  };
}

/** The EC2 backend in the place of the fake one, with agents that beat. */
class OnEc2 extends FakeBackend {
  readonly #bed: Ec2TestBed;
  readonly #running = new Map<string, FakeInstance>();
  readonly machines;

  constructor(bed: Ec2TestBed) {
    super("ec2");
    this.#bed = bed;
    this.machines = bed.backend.machines;
  }
  override availability() {
    return this.#bed.backend.availability();
  }
  override async readConfigs() {
    return null;
  }
  override async create(spec: InstanceSpec, signal: AbortSignal): Promise<Instance> {
    const made = await this.#bed.backend.create(spec, signal);
    const instance = { ...made, spec };
    this.created.push(instance);
    this.#running.set(spec.workspaceId, instance);
    return made;
  }
  override running() {
    return [...this.#running.values()];
  }
  override inspect(key: InstanceKey) {
    return this.#bed.backend.inspect(key);
  }
  override remove(key: InstanceKey, signal: AbortSignal) {
    return this.#bed.backend.remove(key, signal);
  }
  override fence(key: InstanceKey, signal: AbortSignal) {
    return this.#bed.backend.fence(key, signal);
  }
  override list() {
    return this.#bed.backend.list();
  }
  override identity() {
    return this.#bed.backend.identity();
  }
  override removeVolumes(workspaceId: string) {
    return this.#bed.backend.removeVolumes(workspaceId);
  }
}

async function openBed(options: Ec2TestBedOptions = {}) {
  const shell = willingShell();
  const bed = await openEc2TestBed(noMachines(), { shell, ...options });
  beds.push(bed);
  const { ec2 } = bed.cloud;
  const calls = () => ({
    made: ec2.made(),
    terminated: ec2.counts.TerminateInstances,
    started: shell.told.filter((op) => op === "start").length,
  });
  return { bed, shell, calls };
}

/** A creation of the n-th workspace. */
function specOf(n: number, attemptNo: number): InstanceSpec {
  return {
    workspaceId: `00000000-0000-4000-8000-00000000000${n}`,
    attemptNo,
    name: "Ada",
    runtime: "demo",
    tier: 2,
    createToken: `create-${n}-${attemptNo}`,
    env: {},
    files: [],
    removedFiles: [],
  };
}

/** A workspace that runs on one machine, with a worker, a prober and a sweeper at work. */
async function running() {
  const opened = await openBed();
  const platform = restart.open({ backend: new OnEc2(opened.bed), agentsBeat: false });
  platform.startWorker();
  platform.startProber();
  platform.startSweeper();
  const id = await platform.createWorkspace();
  await ready(platform, id, 1);
  return { ...opened, platform, id };
}

type Platform = ReturnType<typeof restart.open>;

/** The attempt boots; then its agent registers. */
async function ready(platform: Platform, id: string, attemptNo: number): Promise<void> {
  await waitUntil(`attempt ${attemptNo} of ${id} is ready`, async () => {
    const seen = await platform.see(id);
    if (seen.phase === "BOOTING" && seen.attempt === attemptNo) {
      await platform.beat({ workspaceId: id, attemptNo });
    }
    return seen.phase === "READY" && seen.attempt === attemptNo;
  });
}

describe("what cost the predecessor machines", () => {
  it("G16 replaces no machine for a secret, whatever probes see while one is pending", async () => {
    const opened = await openBed();
    const { bed, calls } = opened;
    // Of the 20 to 30 s that AWS takes, at the tests' pace.
    bed.cloud.ec2.control.pendingMs = 150;
    bed.cloud.ec2.control.hiddenReads = 3;
    const platform = restart.open({ backend: new OnEc2(bed), agentsBeat: false });
    platform.startWorker();
    const prober = platform.startProber(async () => false);
    platform.startSweeper();
    const id = await platform.createWorkspace();
    await waitUntil("it boots", async () => (await platform.see(id)).phase === "BOOTING");
    for (let n = 0; n < 15; n += 1) await prober.probe();
    await ready(platform, id, 1);
    expect(calls()).toEqual({ made: 1, terminated: 0, started: 1 });

    await platform.writeSecret(id, "API_KEY", "value");
    await restart.later(4_000);
    await waitUntil("the restart boots", async () => {
      const seen = await platform.see(id);
      return seen.attempt === 2 && seen.phase === "BOOTING";
    });
    for (let n = 0; n < 15; n += 1) await prober.probe();
    await ready(platform, id, 2);
    await restart.isAtRest(platform, id);
    expect(calls()).toEqual({ made: 1, terminated: 0, started: 2 });
  }, 60_000);

  it("makes of 17 saves in a minute and one 5 s later two restarts at most, on one machine", async () => {
    const { platform, id, calls } = await running();
    for (let n = 0; n < 17; n += 1) {
      await platform.writeFile(id, `f${n}.md`, `text ${n}`);
      await restart.later(3_500);
    }
    await restart.later(5_500);
    await platform.writeFile(id, "last.md", "at T+65");
    await restart.later(80_000);
    await waitUntil("everything is applied", async () => {
      const seen = await platform.see(id);
      if (seen.phase === "BOOTING")
        await platform.beat({ workspaceId: id, attemptNo: seen.attempt });
      return seen.phase === "READY" && seen.applied === seen.desired;
    });
    const { made, terminated, started } = calls();
    expect({ made, terminated }).toEqual({ made: 1, terminated: 0 });
    expect(started - 1).toBeLessThanOrEqual(2);
  }, 60_000);

  it("names the outcome of each of 7 creations that come at once", async () => {
    const { bed, calls } = await openBed();
    const { faults } = bed.cloud.ec2.control;
    faults.push({ action: "RunInstances", code: "RequestLimitExceeded", times: 2 });
    faults.push({ action: "RunInstances", code: "InvalidAMIID.NotFound", times: 1 });
    faults.push({ action: "RunInstances", code: "VcpuLimitExceeded", times: 1 });
    const outcomes = await Promise.all(
      Array.from({ length: 7 }, async (_, n) => {
        const spec = specOf(n, 1);
        return await bed.backend.create(spec, never).then(
          (made) => made.providerId,
          (error: unknown) => (error instanceof BackendError ? error.failure.sentence : "unnamed"),
        );
      }),
    );
    const machines = outcomes.filter((one) => one.startsWith("i-"));
    expect(new Set(machines).size).toBe(5);
    expect(calls().made).toBe(5);
    expect(outcomes.filter((one) => !one.startsWith("i-")).sort()).toEqual([
      "A limit of the AWS account is reached, so no further machine can be made.",
      "AWS refuses a setting of this platform (InvalidAMIID.NotFound).",
    ]);
  }, 60_000);

  it("says in a sentence that AWS has no capacity, and makes one machine once it has", async () => {
    const { bed, calls } = await openBed();
    const fault = { action: "RunInstances", code: "InsufficientInstanceCapacity" } as const;
    bed.cloud.ec2.control.faults.push({ ...fault, times: Number.POSITIVE_INFINITY });
    const platform = restart.open({ backend: new OnEc2(bed), agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    await waitUntil("the card says why", async () => {
      const { failure } = await platform.see(id);
      return (
        failure?.sentence ===
        "AWS has no free machine of the type t3.medium in this zone right now."
      );
    });
    bed.cloud.ec2.control.faults.length = 0;
    await restart.later(10_000);
    await ready(platform, id, 1);
    expect(calls()).toMatchObject({ made: 1, terminated: 0 });
  }, 60_000);
});

describe("a machine that is kept", () => {
  it("G17 stops with a pause, is left alone by sweeps, and starts again with a resume", async () => {
    const { platform, id, bed, calls } = await running();
    await platform.intent(id, "pause");
    await restart.phaseIs(platform, id, "PAUSED");
    expect(bed.cloud.ec2.instances().map((one) => one.state)).toEqual(["stopped"]);
    const sweeper = platform.startSweeper();
    for (let n = 0; n < 3; n += 1) await sweeper.sweep(never);
    await platform.intent(id, "resume");
    await ready(platform, id, 2);
    expect(calls()).toMatchObject({ made: 1, terminated: 0 });
    expect(bed.cloud.ec2.instances().map((one) => one.state)).toEqual(["running"]);
  }, 60_000);

  it("G16 is replaced when its type is another one, and its disk goes along", async () => {
    const { bed, calls } = await openBed();
    const first = await bed.backend.create(specOf(1, 1), never);
    const [disk] = bed.cloud.ec2.volumes();
    expect(await bed.backend.machines?.handOver(specOf(1, 1), 2, never)).toBe(true);
    const same = await bed.backend.create(specOf(1, 2), never);
    expect(same.providerId).toBe(first.providerId);
    expect(calls()).toMatchObject({ made: 1, terminated: 0 });

    bed.env.MOLECULE_EC2_TYPE_TIER2 = "t3.xlarge";
    expect(await bed.backend.machines?.handOver(specOf(1, 2), 3, never)).toBe(true);
    const other = await bed.backend.create(specOf(1, 3), never);
    expect(other.providerId).not.toBe(first.providerId);
    expect(calls()).toMatchObject({ made: 2, terminated: 1 });
    expect(bed.cloud.ec2.volumes()).toEqual([
      expect.objectContaining({
        id: disk?.id,
        attachment: expect.objectContaining({ instanceId: other.providerId }),
      }),
    ]);
    await bed.backend.create(specOf(1, 3), never);
    expect(calls().made).toBe(2);
  }, 60_000);

  it("goes with its workspace, and its disk with it", async () => {
    const { platform, id, bed } = await running();
    expect(bed.cloud.ec2.volumes()).toHaveLength(1);
    expect(bed.cloud.ec2.volumes()[0]).toMatchObject({ isEncrypted: true });
    await platform.intent(id, "delete");
    await restart.phaseIs(platform, id, "DELETED");
    expect(bed.cloud.ec2.volumes()).toEqual([]);
    expect(bed.cloud.ec2.instances().map((one) => one.state)).toEqual(["terminated"]);
  }, 60_000);

  it("is made with its tags, IMDSv2 and no secret in its user data", async () => {
    const { bed, id } = await running();
    const [made] = bed.cloud.ec2.instances();
    expect(made).toMatchObject({ httpTokens: "required", hopLimit: 1, profileArn: "" });
    expect(Object.fromEntries(made?.tags ?? [])).toMatchObject({
      "molecule.platform": bed.platformId,
      "molecule.workspace": id,
      "molecule.attempt": "1",
    });
    expect(made?.userData).not.toMatch(/wst_|token|secret/i);
  }, 60_000);
});
