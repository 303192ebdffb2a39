import { randomBytes } from "node:crypto";
import { listAt, type ParamValue, textAt, textsAt, type XmlValue } from "./ec2-wire.ts";

/** The one account, network and place of the fake. */
export const OWNER_ID = "000000000000";
export const VPC_ID = "vpc-0fa4e000000000001";
export const SUBNET_ID = "subnet-0fa4e000000000001";
export const SUBNET_ZONE_SUFFIX = "a";

const STATE_CODES = {
  pending: 0,
  running: 16,
  "shutting-down": 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
} as const;
export type InstanceState = keyof typeof STATE_CODES;

/** An instance as the fake keeps it. */
export interface InstanceRecord {
  readonly id: string;
  readonly reservationId: string;
  readonly imageId: string;
  readonly instanceType: string;
  readonly subnetId: string;
  readonly zone: string;
  readonly launchedAt: Date;
  readonly clientToken: string;
  readonly profileArn: string;
  readonly securityGroups: readonly string[];
  readonly keepsOnShutdown: boolean;
  /** `required`: IMDSv2 alone. */
  readonly httpTokens: string;
  readonly hopLimit: number;
  readonly launchTemplate: string;
  readonly userData: string;
  readonly tags: Map<string, string>;
  state: InstanceState;
  privateIp: string;
  /** `CODE: message`, as AWS gives it. */
  stateReason: { readonly code: string; readonly message: string } | null;
  /** How many reads do not see it yet. */
  hiddenReads: number;
  /** How many reads see it after its end. */
  leftReads: number;
  /** What it printed until it was removed. */
  lastConsole: string;
}

/** A volume as the fake keeps it. */
export interface VolumeRecord {
  readonly id: string;
  readonly zone: string;
  readonly sizeGb: number;
  readonly isEncrypted: boolean;
  readonly kmsKeyId: string;
  readonly volumeType: string;
  readonly createdAt: Date;
  readonly tags: Map<string, string>;
  attachment: { readonly instanceId: string; readonly device: string } | null;
}

/** `i-` or `vol-` and 17 hexadecimal digits. */
export function newId(prefix: string): string {
  return `${prefix}-${randomBytes(9).toString("hex").slice(0, 17)}`;
}

/** Tags of a create call for one kind of resource. */
export function tagsFor(params: ParamValue, resource: string): Map<string, string> {
  const specified = listAt(params, "TagSpecification").filter(
    (one) => textAt(one, "ResourceType") === resource,
  );
  return new Map(specified.flatMap((one) => tagPairs(one)));
}

/** The pairs of a `Tag` list. */
export function tagPairs(params: ParamValue): readonly (readonly [string, string])[] {
  return listAt(params, "Tag").map(
    (tag) => [textAt(tag, "Key") ?? "", textAt(tag, "Value") ?? ""] as const,
  );
}

/** Whether something with these fields and tags passes the `Filter` list of a call. */
export function passesFilters(
  params: ParamValue,
  tags: ReadonlyMap<string, string>,
  fields: Readonly<Record<string, string>>,
): boolean {
  return listAt(params, "Filter").every((filter) => {
    const name = textAt(filter, "Name") ?? "";
    const values = textsAt(filter, "Value");
    if (name === "tag-key") return values.some((key) => tags.has(key));
    const found = name.startsWith("tag:") ? tags.get(name.slice("tag:".length)) : fields[name];
    return found !== undefined && values.some((value) => matches(value, found));
  });
}

/** `*` stands for any text, as in filters of AWS. */
function matches(pattern: string, value: string): boolean {
  if (!pattern.includes("*")) return pattern === value;
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(value);
}

export function stateXml(state: InstanceState): XmlValue {
  return { code: STATE_CODES[state], name: state };
}

export function tagsXml(tags: ReadonlyMap<string, string>): XmlValue {
  return [...tags].map(([key, value]) => ({ key, value }));
}

/** An instance as DescribeInstances words it. */
export function instanceXml(one: InstanceRecord, volumes: readonly VolumeRecord[]): XmlValue {
  const isGone = one.state === "terminated";
  return {
    instanceId: one.id,
    imageId: one.imageId,
    instanceState: stateXml(one.state),
    instanceType: one.instanceType,
    launchTime: one.launchedAt.toISOString(),
    placement: { availabilityZone: one.zone, tenancy: "default" },
    privateIpAddress: isGone || one.privateIp === "" ? undefined : one.privateIp,
    subnetId: isGone ? undefined : one.subnetId,
    vpcId: isGone ? undefined : VPC_ID,
    clientToken: one.clientToken,
    iamInstanceProfile: one.profileArn === "" ? undefined : { arn: one.profileArn },
    groupSet: one.securityGroups.map((groupId) => ({ groupId, groupName: groupId })),
    metadataOptions: {
      state: "applied",
      httpTokens: one.httpTokens,
      httpPutResponseHopLimit: one.hopLimit,
      httpEndpoint: "enabled",
    },
    stateReason: one.stateReason ?? undefined,
    reason: one.stateReason?.message ?? "",
    blockDeviceMapping: volumes
      .filter((volume) => volume.attachment?.instanceId === one.id)
      .map((volume) => ({
        deviceName: volume.attachment?.device,
        ebs: { volumeId: volume.id, status: "attached", deleteOnTermination: false },
      })),
    tagSet: tagsXml(one.tags),
  };
}

/** A volume as DescribeVolumes words it. */
export function volumeXml(one: VolumeRecord): XmlValue {
  return {
    volumeId: one.id,
    size: one.sizeGb,
    availabilityZone: one.zone,
    status: one.attachment === null ? "available" : "in-use",
    createTime: one.createdAt.toISOString(),
    volumeType: one.volumeType,
    encrypted: one.isEncrypted,
    kmsKeyId: one.kmsKeyId === "" ? undefined : one.kmsKeyId,
    attachmentSet: one.attachment === null ? [] : [attachmentXml(one)],
    tagSet: tagsXml(one.tags),
  };
}

export function attachmentXml(one: VolumeRecord, status = "attached"): XmlValue {
  return {
    volumeId: one.id,
    instanceId: one.attachment?.instanceId,
    device: one.attachment?.device,
    status,
    deleteOnTermination: false,
  };
}
