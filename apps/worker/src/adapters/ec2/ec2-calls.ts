import {
  AttachVolumeCommand,
  type Instance as AwsInstance,
  CreateTagsCommand,
  CreateVolumeCommand,
  DeleteVolumeCommand,
  DescribeInstancesCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  EC2Client,
  type Filter,
  GetConsoleOutputCommand,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  StartInstancesCommand,
  StopInstancesCommand,
  type Tag,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { type Ec2Operation, ec2ErrorCode, ec2Failure } from "./ec2-error.ts";
import type { Ec2Settings } from "./ec2-settings.ts";

/** An instance as the backend reads it. */
export interface Machine {
  readonly id: string;
  readonly state: "pending" | "running" | "stopping" | "stopped" | "shutting-down" | "terminated";
  readonly tags: ReadonlyMap<string, string>;
  readonly zone: string;
  readonly type: string;
  /** Null before it has one. */
  readonly privateIp: string | null;
  /** Code of AWS for why it ended; null while it does not. */
  readonly endReason: string | null;
  readonly launchedAt: Date | null;
}

/** A volume as the backend reads it. */
export interface Volume {
  readonly id: string;
  readonly state: string;
  readonly zone: string;
  /** Null: it hangs on none. */
  readonly attachedTo: string | null;
}

export type TagFilter = Readonly<Record<string, string>>;

/** Calls repeat themselves so often when AWS asks to slow down, later each time. */
const MAX_ATTEMPTS = 6;
const CALL_TIMEOUT_MS = 30_000;

/** Every call of the EC2 API that the backend makes. Failures are BackendErrors. */
export type Ec2Calls = ReturnType<typeof createEc2Calls>;

export function createEc2Calls(settings: Ec2Settings) {
  const client = new EC2Client({
    region: settings.region,
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: { requestTimeout: CALL_TIMEOUT_MS, connectionTimeout: 5_000 },
    ...(settings.endpoint === null ? {} : { endpoint: settings.endpoint }),
    ...(settings.credentials === null ? {} : { credentials: settings.credentials }),
  });
  const machines = (filter: { InstanceIds: string[] } | { Filters: Filter[] }) =>
    call({ doing: "list the machines", code: "engine_unavailable" }, async () => {
      const found: Machine[] = [];
      let next = "";
      do {
        const answer = await client.send(
          new DescribeInstancesCommand({ ...filter, ...(next === "" ? {} : { NextToken: next }) }),
        );
        for (const { Instances = [] } of answer.Reservations ?? []) {
          found.push(...Instances.map(machineOf));
        }
        next = answer.NextToken ?? "";
      } while (next !== "");
      return found;
    });
  return {
    close: () => client.destroy(),
    tagged: (tags: TagFilter): Promise<readonly Machine[]> =>
      machines({ Filters: filtersOf(tags) }),
    /** Null: AWS does not know it, or not yet. */
    machine: (id: string): Promise<Machine | null> =>
      machines({ InstanceIds: [id] }).then(
        ([found]) => found ?? null,
        (error: unknown) => {
          if (isMissing(error)) return null;
          throw error;
        },
      ),
    run: (input: RunInstancesCommandInput): Promise<Machine> =>
      call(
        { doing: "make a machine", code: "create_failed" },
        async () => {
          const { Instances } = await client.send(new RunInstancesCommand(input));
          const made = Instances?.[0];
          if (made === undefined)
            throw new Error("invariant: RunInstances answers with an instance");
          return machineOf(made);
        },
        input.InstanceType,
      ),
    terminate: (id: string) =>
      gone({ doing: "end the machine", code: "stop_failed" }, () =>
        client.send(new TerminateInstancesCommand({ InstanceIds: [id] })),
      ),
    stop: (id: string, isForced = false) =>
      gone({ doing: "stop the machine", code: "stop_failed" }, () =>
        client.send(new StopInstancesCommand({ InstanceIds: [id], Force: isForced })),
      ),
    start: (id: string) =>
      call({ doing: "start the machine", code: "create_failed" }, async () => {
        await client.send(new StartInstancesCommand({ InstanceIds: [id] }));
      }),
    tag: (id: string, tags: TagFilter) =>
      call({ doing: "mark the machine", code: "create_failed" }, async () => {
        await client.send(new CreateTagsCommand({ Resources: [id], Tags: tagsOf(tags) }));
      }),
    /** What the machine printed; empty: nothing yet. */
    console: (id: string): Promise<string> =>
      call({ doing: "read the machine's console", code: "internal" }, async () => {
        const { Output } = await client.send(
          new GetConsoleOutputCommand({ InstanceId: id, Latest: true }),
        );
        return Buffer.from(Output ?? "", "base64").toString("utf8");
      }),
    ...volumeCalls(client, settings),
    /** Number of the account and region: what is listed there. */
    account: (): Promise<string> =>
      call({ doing: "say which account it is", code: "engine_unavailable" }, async () => {
        const { Subnets } = await client.send(new DescribeSubnetsCommand({}));
        return `${Subnets?.[0]?.OwnerId ?? "account"}/${settings.region}`;
      }),
  };
}

async function call<T>(operation: Ec2Operation, work: () => Promise<T>, type = ""): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw ec2Failure(error, operation, type);
  }
}

/** Something that shall not be there any more and is not is success. */
async function gone(operation: Ec2Operation, work: () => Promise<unknown>): Promise<void> {
  await call(operation, async () => {
    try {
      await work();
    } catch (error) {
      if (!isMissing(error) && ec2ErrorCode(error) !== "IncorrectState") throw error;
    }
  });
}

function volumeCalls(client: EC2Client, settings: Ec2Settings) {
  return {
    volumes: (tags: TagFilter): Promise<readonly Volume[]> =>
      call({ doing: "list the disks", code: "engine_unavailable" }, async () => {
        const { Volumes } = await client.send(
          new DescribeVolumesCommand({ Filters: filtersOf(tags) }),
        );
        return (Volumes ?? []).map((one) => ({
          id: one.VolumeId ?? "",
          state: one.State ?? "",
          zone: one.AvailabilityZone ?? "",
          attachedTo: one.Attachments?.[0]?.InstanceId ?? null,
        }));
      }),
    createVolume: (parts: { zone: string; token: string; tags: TagFilter }): Promise<string> =>
      call({ doing: "make a disk", code: "create_failed" }, async () => {
        const { VolumeId } = await client.send(
          new CreateVolumeCommand({
            AvailabilityZone: parts.zone,
            Size: settings.dataGb,
            VolumeType: "gp3",
            Encrypted: true,
            ...(settings.kmsKey === null ? {} : { KmsKeyId: settings.kmsKey }),
            ClientToken: parts.token,
            TagSpecifications: [{ ResourceType: "volume", Tags: tagsOf(parts.tags) }],
          }),
        );
        return VolumeId ?? "";
      }),
    attach: (volumeId: string, instanceId: string, device: string) =>
      call({ doing: "attach the disk", code: "create_failed" }, async () => {
        await client.send(
          new AttachVolumeCommand({ VolumeId: volumeId, InstanceId: instanceId, Device: device }),
        );
      }),
    detach: (volumeId: string, isForced = false) =>
      gone({ doing: "detach the disk", code: "stop_failed" }, () =>
        client.send(new DetachVolumeCommand({ VolumeId: volumeId, Force: isForced })),
      ),
    deleteVolume: (volumeId: string) =>
      gone({ doing: "remove the disk", code: "stop_failed" }, () =>
        client.send(new DeleteVolumeCommand({ VolumeId: volumeId })),
      ),
  };
}

function isMissing(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return /^Invalid(InstanceID|Volume)\.NotFound$/.test(ec2ErrorCode(cause));
}

function filtersOf(tags: TagFilter): Filter[] {
  return Object.entries(tags).map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] }));
}

export function tagsOf(tags: TagFilter): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

function machineOf(one: AwsInstance): Machine {
  return {
    id: one.InstanceId ?? "",
    state: one.State?.Name ?? "pending",
    tags: new Map((one.Tags ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""])),
    zone: one.Placement?.AvailabilityZone ?? "",
    type: one.InstanceType ?? "",
    privateIp: one.PrivateIpAddress ?? null,
    endReason: one.StateReason?.Code ?? null,
    launchedAt: one.LaunchTime ?? null,
  };
}
