import type { EC2Client } from "@aws-sdk/client-ec2";
import type { EC2InstanceConnectClient } from "@aws-sdk/client-ec2-instance-connect";
import { TunnelError } from "../errors.ts";
import type { AwsCredentials } from "./sign-open-tunnel.ts";

/** An endpoint that a VPC has. */
export interface EndpointRow {
  readonly endpointId: string;
  readonly dnsName: string;
  readonly subnetId: string | null;
}

/** Where an instance is. */
export interface InstanceRow {
  readonly privateIp: string;
  readonly vpcId: string;
  readonly subnetId: string | null;
}

/** A key and whom it lets in where. */
export interface KeyGrant {
  readonly instanceId: string;
  readonly osUser: string;
  readonly publicKey: string;
}

/** What a connection needs of AWS. Every method fails with a {@link TunnelError}. */
export interface AwsServices {
  /** Null: there is none, or it has no address yet. */
  findInstance(instanceId: string, signal: AbortSignal): Promise<InstanceRow | null>;
  listEndpoints(vpcId: string, signal: AbortSignal): Promise<readonly EndpointRow[]>;
  /** Lets the owner of the key in for 60 s. */
  pushKey(grant: KeyGrant, signal: AbortSignal): Promise<void>;
  /** What the machine printed, empty when there is nothing. */
  console(instanceId: string, signal: AbortSignal): Promise<string>;
  credentials(): Promise<AwsCredentials>;
}

/** What the services are reached with. */
export interface AwsOptions {
  readonly region: string;
  /** Absent: the usual chain (variables, profile, role). */
  readonly credentials?: AwsCredentials;
  /** Address of the API of EC2; absent: AWS's own. */
  readonly ec2Url?: string;
  /** Address of the API of EC2 Instance Connect; absent: AWS's own. */
  readonly connectUrl?: string;
}

/** The options that the settings of the EC2 backend say; null there is absent here. */
export function awsOptionsOf(settings: {
  readonly region: string;
  readonly credentials: AwsCredentials | null;
  readonly endpoint: string | null;
  readonly connectEndpoint: string | null;
}): AwsOptions {
  const { region, credentials, endpoint, connectEndpoint } = settings;
  return {
    region,
    ...(credentials === null ? {} : { credentials }),
    ...(endpoint === null ? {} : { ec2Url: endpoint }),
    ...(connectEndpoint === null ? {} : { connectUrl: connectEndpoint }),
  };
}

/** States in which an endpoint carries connections. Source: the AWS command line. */
const USABLE_STATES = ["create-complete", "update-in-progress", "update-complete", "update-failed"];

/** The real services. The libraries are loaded at the first call: who has no machines does without. */
export function createAwsServices(options: AwsOptions): AwsServices {
  const config = {
    region: options.region,
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  };
  const at = (url: string | undefined) => (url === undefined ? {} : { endpoint: url });
  let ec2: Promise<EC2Client> | null = null;
  const ec2Client = () => {
    ec2 ??= import("@aws-sdk/client-ec2").then(
      ({ EC2Client: Client }) => new Client({ ...config, ...at(options.ec2Url) }),
    );
    return ec2;
  };
  let connect: Promise<EC2InstanceConnectClient> | null = null;
  const connectClient = () => {
    // The pool has its own patience; a second try here would be one it does not know of.
    connect ??= import("@aws-sdk/client-ec2-instance-connect").then(
      ({ EC2InstanceConnectClient: Client }) =>
        new Client({ ...config, ...at(options.connectUrl), maxAttempts: 1 }),
    );
    return connect;
  };
  return {
    findInstance: (id, signal) =>
      typed(async () => await findInstance(await ec2Client(), id, signal)),
    listEndpoints: (vpcId, signal) =>
      typed(async () => await listEndpoints(await ec2Client(), vpcId, signal)),
    pushKey: (grant, signal) =>
      typed(async () => await pushKey(await connectClient(), grant, signal)),
    console: (id, signal) => typed(async () => await readConsole(await ec2Client(), id, signal)),
    credentials: () => typed(async () => await (await connectClient()).config.credentials()),
  };
}

async function findInstance(
  client: EC2Client,
  instanceId: string,
  abortSignal: AbortSignal,
): Promise<InstanceRow | null> {
  const { DescribeInstancesCommand } = await import("@aws-sdk/client-ec2");
  const command = new DescribeInstancesCommand({ InstanceIds: [instanceId] });
  const { Reservations } = await client.send(command, { abortSignal });
  const found = Reservations?.[0]?.Instances?.[0];
  const address = found?.PrivateIpAddress ?? found?.Ipv6Address;
  if (address === undefined || found?.VpcId === undefined) return null;
  return { privateIp: address, vpcId: found.VpcId, subnetId: found.SubnetId ?? null };
}

async function listEndpoints(
  client: EC2Client,
  vpcId: string,
  abortSignal: AbortSignal,
): Promise<readonly EndpointRow[]> {
  const { DescribeInstanceConnectEndpointsCommand } = await import("@aws-sdk/client-ec2");
  const Filters = [
    { Name: "state", Values: USABLE_STATES },
    { Name: "vpc-id", Values: [vpcId] },
  ];
  const command = new DescribeInstanceConnectEndpointsCommand({ Filters });
  const { InstanceConnectEndpoints } = await client.send(command, { abortSignal });
  return (InstanceConnectEndpoints ?? []).flatMap((one) => {
    const { InstanceConnectEndpointId: endpointId, DnsName: dnsName } = one;
    if (endpointId === undefined || dnsName === undefined) return [];
    return [{ endpointId, dnsName, subnetId: one.SubnetId ?? null }];
  });
}

async function pushKey(
  client: EC2InstanceConnectClient,
  { instanceId, osUser, publicKey }: KeyGrant,
  abortSignal: AbortSignal,
): Promise<void> {
  const { SendSSHPublicKeyCommand } = await import("@aws-sdk/client-ec2-instance-connect");
  const command = new SendSSHPublicKeyCommand({
    InstanceId: instanceId,
    InstanceOSUser: osUser,
    SSHPublicKey: publicKey,
  });
  const { Success } = await client.send(command, { abortSignal });
  if (Success !== true) throw new TunnelError("api-rejected");
}

async function readConsole(
  client: EC2Client,
  instanceId: string,
  abortSignal: AbortSignal,
): Promise<string> {
  const { GetConsoleOutputCommand } = await import("@aws-sdk/client-ec2");
  const command = new GetConsoleOutputCommand({ InstanceId: instanceId });
  const { Output } = await client.send(command, { abortSignal });
  return Buffer.from(Output ?? "", "base64").toString("utf8");
}

async function typed<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof TunnelError ? error : apiError(error);
  }
}

/** By the name and the status that the library gives, never by its words. */
function apiError(error: unknown): TunnelError {
  const { name, $metadata, code } = (error ?? {}) as {
    name?: unknown;
    code?: unknown;
    $metadata?: { httpStatusCode?: number; requestId?: string };
  };
  const httpStatus = $metadata?.httpStatusCode;
  const options = { cause: error };
  if (httpStatus === undefined) {
    const facts = typeof code === "string" ? { code } : {};
    return new TunnelError("api-unreachable", facts, options);
  }
  const awsError = typeof name === "string" ? name : "";
  const { requestId } = $metadata ?? {};
  const facts = { httpStatus, awsError, ...(requestId === undefined ? {} : { requestId }) };
  const isThrottled =
    httpStatus === 429 || awsError === "ThrottlingException" || awsError === "RequestLimitExceeded";
  return new TunnelError(isThrottled ? "api-throttled" : "api-rejected", facts, options);
}
