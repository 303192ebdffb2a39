import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { EC2_ACTIONS, type Ec2Action, type Ec2Control, newEc2Control } from "./ec2-control.ts";
import { Ec2Instances } from "./ec2-instances.ts";
import {
  type InstanceRecord,
  newId,
  OWNER_ID,
  SUBNET_ID,
  SUBNET_ZONE_SUFFIX,
  tagPairs,
  type VolumeRecord,
  VPC_ID,
} from "./ec2-records.ts";
import { Ec2Volumes } from "./ec2-volumes.ts";
import {
  answerXml,
  Ec2Fault,
  faultXml,
  type Params,
  parseParams,
  textsAt,
  type XmlValue,
} from "./ec2-wire.ts";
import { listenOnLoopback } from "./listen.ts";
import type { MachineHost } from "./machine-host.ts";
import { type SigningKey, signatureProblem } from "./verify-sigv4.ts";

/** A way into the private network, as DescribeInstanceConnectEndpoints names it. */
export interface NamedEndpoint {
  readonly id: string;
  readonly dnsName: string;
}

/** What the fake EC2 is made of. */
export interface Ec2ApiOptions {
  readonly machines: MachineHost;
  readonly region?: string;
  readonly control?: Ec2Control;
  /** Null: nobody has this access key. Absent: calls need no right signature. */
  readonly keyOf?: (accessKeyId: string) => SigningKey | null;
  /** Absent: there are none. */
  readonly endpoints?: () => readonly NamedEndpoint[];
  /** Answers requests of another service on the same port; false: it is not one. */
  readonly other?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Default: any free port. */
  readonly port?: number;
}

/** A fake EC2 on loopback that the real AWS SDK talks to. */
export interface Ec2Api extends AsyncDisposable {
  /** For `AWS_ENDPOINT_URL_EC2`. */
  readonly url: string;
  readonly region: string;
  readonly control: Ec2Control;
  /** How often each action was called, refused calls included. */
  readonly counts: Readonly<Record<Ec2Action, number>>;
  /** Instances that were really made; a repeated call makes none. */
  made(): number;
  instances(): readonly InstanceRecord[];
  volumes(): readonly VolumeRecord[];
  /** Resolves when nothing starts, stops or ends any more. */
  settle(): Promise<void>;
}

/** Starts the fake. It owns the machines: they are gone when it is disposed of. */
export async function startEc2Api(options: Ec2ApiOptions): Promise<Ec2Api> {
  const { machines } = options;
  const region = options.region ?? "eu-central-1";
  const control = options.control ?? newEc2Control();
  const counts = Object.fromEntries(EC2_ACTIONS.map((action) => [action, 0])) as Record<
    Ec2Action,
    number
  >;
  const instances: Ec2Instances = new Ec2Instances({
    region,
    machines,
    control,
    volumes: () => volumes,
  });
  const volumes = new Ec2Volumes({ machines, control, instance: (id) => instances.visible(id) });
  const act = actionsOf({ ...options, region }, instances, volumes);

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const requestId = randomUUID();
    const send = (status: number, xml: string) => {
      response.writeHead(status, { "content-type": "text/xml;charset=UTF-8" });
      response.end(xml);
    };
    try {
      const { action, params } = await readCall(request, options.keyOf);
      counts[action] += 1;
      if (control.apiDelayMs > 0) await delay(control.apiDelayMs);
      const fault = takeFault(control, action);
      if (fault !== null && fault.isAnswerLost !== true) throw faultOf(fault.code);
      const body = await act[action](params);
      if (fault !== null) response.destroy();
      else send(200, answerXml(action, requestId, body));
    } catch (error) {
      const known =
        error instanceof Ec2Fault ? error : new Ec2Fault("InternalError", String(error));
      send(known.status, faultXml(known, requestId));
    }
  };
  const server = createServer((request, response) => {
    if (options.other?.(request, response) === true) return;
    // Floating on purpose: it answers whatever happens.
    answer(request, response).catch(() => response.destroy());
  });
  const port = await listenOnLoopback(server, options.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}`,
    region,
    control,
    counts,
    made: () => instances.made,
    instances: () => instances.all(),
    volumes: () => volumes.all(),
    settle: () => instances.settle(),
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await instances.settle();
      await machines[Symbol.asyncDispose]();
    },
  };
}

async function readCall(
  request: IncomingMessage,
  keyOf: Ec2ApiOptions["keyOf"],
): Promise<{ readonly action: Ec2Action; readonly params: Params }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  if (keyOf !== undefined) {
    const signed = {
      method: request.method ?? "",
      target: request.url ?? "",
      headers: request.headers,
      body,
    };
    const problem = signatureProblem(signed, { service: "ec2", keyOf });
    if (problem !== null) throw new Ec2Fault("AuthFailure", problem);
  }
  const { Action: name, Version: _version, ...params } = parseParams(body.toString("utf8"));
  const action = EC2_ACTIONS.find((one) => one === name);
  if (action === undefined)
    throw new Ec2Fault("InvalidAction", `The fake knows no ${String(name)}`);
  return { action, params };
}

function takeFault(control: Ec2Control, action: Ec2Action) {
  const at = control.faults.findIndex((one) => one.action === action || one.action === "*");
  const found = control.faults[at];
  if (found === undefined) return null;
  found.times -= 1;
  if (found.times <= 0) control.faults.splice(at, 1);
  return found;
}

const FAULT_TEXTS: Readonly<Record<string, string>> = {
  RequestLimitExceeded: "Request limit exceeded.",
  InsufficientInstanceCapacity:
    "We currently do not have sufficient capacity in the Availability Zone you requested.",
  UnauthorizedOperation: "You are not authorized to perform this operation.",
};

function faultOf(code: string): Ec2Fault {
  return new Ec2Fault(code, FAULT_TEXTS[code] ?? "as it was told to");
}

type Actions = { readonly [A in Ec2Action]: (params: Params) => XmlValue | Promise<XmlValue> };

function actionsOf(
  { region, endpoints }: Ec2ApiOptions & { readonly region: string },
  instances: Ec2Instances,
  volumes: Ec2Volumes,
): Actions {
  return {
    RunInstances: (params) => instances.run(params),
    DescribeInstances: (params) => instances.describe(params),
    TerminateInstances: (params) => instances.terminate(params),
    StopInstances: (params) => instances.stop(params),
    StartInstances: (params) => instances.start(params),
    GetConsoleOutput: (params) => instances.console(params),
    CreateVolume: (params) => volumes.create(params),
    DescribeVolumes: (params) => volumes.describe(params),
    AttachVolume: (params) => volumes.attach(params),
    DetachVolume: (params) => volumes.detach(params),
    DeleteVolume: (params) => volumes.delete(params),
    CreateTags: (params) => {
      const pairs = tagPairs(params);
      for (const id of textsAt(params, "ResourceId")) {
        const tags = id.startsWith("vol-") ? volumes.tagsOf(id) : instances.visible(id).tags;
        if (tags === null) throw new Ec2Fault("InvalidVolume.NotFound", `no volume ${id}`);
        for (const [key, value] of pairs) tags.set(key, value);
      }
      return { return: true };
    },
    DescribeSubnets: (params) => ({
      subnetSet: [
        {
          subnetId: textsAt(params, "SubnetId")[0] ?? SUBNET_ID,
          vpcId: VPC_ID,
          ownerId: OWNER_ID,
          availabilityZone: `${region}${SUBNET_ZONE_SUFFIX}`,
          state: "available",
        },
      ],
    }),
    DescribeInstanceConnectEndpoints: () => ({
      instanceConnectEndpointSet: (endpoints?.() ?? []).map(({ id, dnsName }) => ({
        ownerId: OWNER_ID,
        instanceConnectEndpointId: id,
        state: "create-complete",
        dnsName,
        vpcId: VPC_ID,
        subnetId: SUBNET_ID,
        availabilityZone: `${region}${SUBNET_ZONE_SUFFIX}`,
        networkInterfaceIdSet: [newId("eni")],
      })),
    }),
  };
}
