import {
  type ConnectControl,
  type ConnectCounts,
  newConnectControl,
  newConnectCounts,
} from "./connect-control.ts";
import { type ConnectEndpoint, startConnectEndpoint } from "./connect-endpoint.ts";
import { type Ec2Api, startEc2Api } from "./ec2-api.ts";
import { answerInstanceConnect, isInstanceConnectCall } from "./instance-connect.ts";
import type { MachineHost } from "./machine-host.ts";

/** A whole cloud on loopback: EC2, EC2 Instance Connect, and an endpoint into the private network. */
export interface FakeCloud extends AsyncDisposable {
  readonly ec2: Ec2Api;
  readonly connect: {
    readonly control: ConnectControl;
    readonly counts: ConnectCounts;
    readonly endpoint: ConnectEndpoint;
  };
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** What a process needs to take this for AWS; `NODE_EXTRA_CA_CERTS` is the caller's to write. */
  readonly env: Readonly<Record<string, string>>;
}

const ENDPOINT_ID = "eice-0fa4e000000000001";

/** Starts it before these machines, which it owns. */
export async function startFakeCloud(
  machines: MachineHost,
  options: { readonly port?: number } = {},
): Promise<FakeCloud> {
  const control = newConnectControl();
  const counts = newConnectCounts();
  const credentials = { accessKeyId: "AKIAFAKEFAKEFAKE", secretAccessKey: "fake-secret" };
  const keyOf = (id: string) =>
    id === credentials.accessKeyId ? { secret: credentials.secretAccessKey } : null;
  const endpoint = await startConnectEndpoint({
    control,
    counts,
    keyOf,
    endpointId: ENDPOINT_ID,
    machineAt: (privateIp, port) => {
      const isUp = ec2
        .instances()
        .some((one) => one.privateIp === privateIp && one.state === "running");
      return isUp ? { host: privateIp, port } : null;
    },
  });
  const ec2: Ec2Api = await startEc2Api({
    machines,
    keyOf,
    ...(options.port === undefined ? {} : { port: options.port }),
    endpoints: () => [{ id: ENDPOINT_ID, dnsName: endpoint.dnsName }],
    other: (request, response) => {
      if (!isInstanceConnectCall(request)) return false;
      const findInstance = (id: string) => {
        const found = ec2.instances().find((one) => one.id === id);
        if (found === undefined) return null;
        return {
          state: found.state,
          grant: (user: string, key: string, seconds: number) =>
            machines.grant(id, user, key, seconds),
        };
      };
      answerInstanceConnect({ control, counts, keyOf, findInstance }, request, response).catch(() =>
        response.destroy(),
      );
      return true;
    },
  });
  return {
    ec2,
    connect: { control, counts, endpoint },
    credentials,
    env: {
      AWS_REGION: ec2.region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_ENDPOINT_URL_EC2: ec2.url,
      AWS_ENDPOINT_URL_EC2_INSTANCE_CONNECT: ec2.url,
      MOLECULE_EC2_IMAGE: "ami-0fa4e000000000001",
      MOLECULE_EC2_OS_USER: "root",
    },
    [Symbol.asyncDispose]: async () => {
      await endpoint[Symbol.asyncDispose]();
      await ec2[Symbol.asyncDispose]();
    },
  };
}
