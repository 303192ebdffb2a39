import {
  AttachVolumeCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DeleteVolumeCommand,
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  EC2Client,
  GetConsoleOutputCommand,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { canMakeContainers, containerMachines } from "@molecule/testing/cloud/container-machines";
import { type Ec2Api, startEc2Api } from "@molecule/testing/cloud/ec2-api";
import { noMachines } from "@molecule/testing/cloud/machine-host";
import { realPart } from "@molecule/testing/require-real";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const KEY = { accessKeyId: "AKIAFAKE", secretAccessKey: "fake" };
const clientOf = (api: Ec2Api, secretAccessKey = KEY.secretAccessKey) =>
  new EC2Client({
    region: api.region,
    endpoint: api.url,
    credentials: { ...KEY, secretAccessKey },
    maxAttempts: 1,
  });
const RUN: RunInstancesCommandInput = {
  ImageId: "ami-1",
  InstanceType: "t3.small",
  MinCount: 1,
  MaxCount: 1,
  MetadataOptions: { HttpTokens: "required" },
  TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "molecule.a", Value: "<b>" }] }],
};

describe("the fake EC2 before the real SDK", () => {
  let api: Ec2Api;
  let ec2: EC2Client;

  beforeAll(async () => {
    api = await startEc2Api({
      machines: noMachines(),
      keyOf: (id) => (id === KEY.accessKeyId ? { secret: KEY.secretAccessKey } : null),
    });
    ec2 = clientOf(api);
  });
  afterAll(async () => {
    ec2.destroy();
    await api[Symbol.asyncDispose]();
  });

  const run = async (parts: Partial<RunInstancesCommandInput> = {}) => {
    const answer = await ec2.send(new RunInstancesCommand({ ...RUN, ...parts }));
    return answer.Instances?.[0]?.InstanceId ?? "";
  };
  const stateOf = async (id: string) => {
    const answer = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
    return answer.Reservations?.[0]?.Instances?.[0];
  };

  it("makes one instance for one client token, and refuses the token for another", async () => {
    const before = api.made();
    const ids = await Promise.all([1, 2, 3].map(() => run({ ClientToken: "once" })));
    expect(new Set(ids).size).toBe(1);
    expect(api.made() - before).toBe(1);
    await expect(run({ ClientToken: "once", InstanceType: "t3.large" })).rejects.toMatchObject({
      name: "IdempotentParameterMismatch",
    });
  });

  it("has the tags and IMDSv2 of the create call, and answers by filter", async () => {
    const id = await run();
    const seen = await waitUntil("it runs", async () => {
      const one = await stateOf(id);
      return one?.State?.Name === "running" ? one : null;
    });
    expect(seen.Tags).toEqual([{ Key: "molecule.a", Value: "<b>" }]);
    expect(seen.MetadataOptions?.HttpTokens).toBe("required");
    await ec2.send(
      new CreateTagsCommand({ Resources: [id], Tags: [{ Key: "only", Value: "me" }] }),
    );
    const found = await ec2.send(
      new DescribeInstancesCommand({ Filters: [{ Name: "tag:only", Values: ["me"] }] }),
    );
    expect(found.Reservations?.flatMap((one) => one.Instances ?? [])).toHaveLength(1);
  });

  it("does not find a new instance for as many reads as it was told", async () => {
    api.control.hiddenReads = 2;
    const id = await run();
    api.control.hiddenReads = 0;
    for (const _ of [1, 2]) {
      await expect(stateOf(id)).rejects.toMatchObject({ name: "InvalidInstanceID.NotFound" });
    }
    expect((await stateOf(id))?.InstanceId).toBe(id);
  });

  it("fails the calls that it was told to fail, and counts them all", async () => {
    const before = api.counts.RunInstances;
    api.control.faults.push({ action: "RunInstances", code: "RequestLimitExceeded", times: 1 });
    api.control.faults.push({
      action: "RunInstances",
      code: "InsufficientInstanceCapacity",
      times: 1,
    });
    await expect(run()).rejects.toMatchObject({ name: "RequestLimitExceeded" });
    await expect(run()).rejects.toMatchObject({ name: "InsufficientInstanceCapacity" });
    await run();
    expect(api.counts.RunInstances - before).toBe(3);
  });

  it("refuses a wrong signature", async () => {
    const stranger = clientOf(api, "wrong");
    await expect(stranger.send(new DescribeInstancesCommand({}))).rejects.toMatchObject({
      name: "AuthFailure",
    });
    stranger.destroy();
  });

  it("stops, starts and terminates, and keeps the volume", async () => {
    const id = await run();
    const until = (state: string) =>
      waitUntil(`it is ${state}`, async () => (await stateOf(id))?.State?.Name === state);
    await until("running");
    const { VolumeId } = await ec2.send(
      new CreateVolumeCommand({
        AvailabilityZone: `${api.region}a`,
        Size: 8,
        Encrypted: true,
        ClientToken: "volume",
      }),
    );
    const at = { VolumeId, InstanceId: id, Device: "/dev/sdf" };
    await ec2.send(new AttachVolumeCommand(at));
    await expect(ec2.send(new AttachVolumeCommand(at))).rejects.toMatchObject({
      name: "VolumeInUse",
    });
    await expect(ec2.send(new DeleteVolumeCommand({ VolumeId }))).rejects.toMatchObject({
      name: "VolumeInUse",
    });
    await ec2.send(new StopInstancesCommand({ InstanceIds: [id] }));
    await until("stopped");
    await ec2.send(new StartInstancesCommand({ InstanceIds: [id] }));
    await until("running");
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await until("terminated");
    const { Volumes } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId ?? ""] }));
    expect(Volumes?.[0]).toMatchObject({ State: "available", Encrypted: true, Attachments: [] });
    await ec2.send(new DeleteVolumeCommand({ VolumeId }));
  });
});

const hasContainers = realPart(
  "A Docker engine or sshd",
  await canMakeContainers(),
  "install docker.io and openssh-server",
);

describe.runIf(hasContainers)("the fake EC2 before real machines", () => {
  let api: Ec2Api;
  let ec2: EC2Client;

  beforeAll(async () => {
    api = await startEc2Api({ machines: await containerMachines() });
    ec2 = clientOf(api);
  }, 60_000);
  afterAll(async () => {
    ec2.destroy();
    await api[Symbol.asyncDispose]();
  }, 60_000);

  it("runs the user data in a machine with an sshd, and shows what it printed", async () => {
    const script = "#!/bin/sh\necho hello from $(node -p 'process.version') as $(id -un)\n";
    const { Instances } = await ec2.send(
      new RunInstancesCommand({ ...RUN, UserData: Buffer.from(script).toString("base64") }),
    );
    const id = Instances?.[0]?.InstanceId ?? "";
    const read = async () => {
      const { Output } = await ec2.send(new GetConsoleOutputCommand({ InstanceId: id }));
      return Buffer.from(Output ?? "", "base64").toString("utf8");
    };
    const printed = await waitUntil("its user data has run", async () => {
      const text = await read();
      return text.includes("user data ended") ? text : null;
    });
    expect(printed).toContain(`hello from ${process.version} as root`);
    expect(printed).toMatch(/BEGIN SSH HOST KEY KEYS-----\s+ssh-ed25519 AAAA/);
    const [one] = api.instances();
    expect(one?.privateIp).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await api.settle();
    expect(api.instances()[0]?.state).toBe("terminated");
    expect(await read()).toContain("hello from");
  }, 60_000);
});
