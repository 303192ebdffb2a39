import {
  type ConnectControl,
  type ConnectCounts,
  newConnectControl,
  newConnectCounts,
} from "./connect-control.ts";
import { type ConnectEndpoint, startConnectEndpoint } from "./connect-endpoint.ts";
import { startInstanceConnectApi } from "./instance-connect.ts";
import { startSshd, type TestSshd, type TestSshdOptions } from "./sshd.ts";

/** One machine behind a fake endpoint: all that a connection to an instance needs. */
export interface ConnectGround extends AsyncDisposable {
  readonly control: ConnectControl;
  readonly counts: ConnectCounts;
  readonly endpoint: ConnectEndpoint;
  readonly endpointId: string;
  /** Address of the fake API of Instance Connect. */
  readonly apiUrl: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly sshd: TestSshd;
  /** Instance ids and their states. Every id leads to the one machine; an absent one is running. */
  readonly states: Map<string, string>;
  /** False: nothing listens on the machine any more. */
  machineListens: boolean;
}

/** Starts a real sshd, the fake API and the fake endpoint. */
export async function startConnectGround(options: TestSshdOptions = {}): Promise<ConnectGround> {
  const control = newConnectControl();
  const counts = newConnectCounts();
  const credentials = { accessKeyId: "AKIATESTTESTTEST", secretAccessKey: "a-secret-of-the-tests" };
  const endpointId = "eice-0123456789abcdef0";
  const states = new Map<string, string>();
  const sshd = await startSshd(options);
  const keyOf = (id: string) =>
    id === credentials.accessKeyId ? { secret: credentials.secretAccessKey } : null;
  const api = await startInstanceConnectApi({
    control,
    counts,
    keyOf,
    findInstance: (id) => {
      const state = states.get(id) ?? "running";
      if (state === "missing") return null;
      return { state, grant: (user, key, seconds) => sshd.grant(user, key, seconds) };
    },
  });
  const ground = { machineListens: true };
  const endpoint = await startConnectEndpoint({
    control,
    counts,
    keyOf,
    endpointId,
    // Port 1 of loopback refuses, as a machine does whose sshd has ended.
    machineAt: () => ({ host: "127.0.0.1", port: ground.machineListens ? sshd.port : 1 }),
  });
  return Object.assign(ground, {
    control,
    counts,
    endpoint,
    endpointId,
    apiUrl: api.url,
    credentials,
    sshd,
    states,
    [Symbol.asyncDispose]: async () => {
      await endpoint[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
      await sshd[Symbol.asyncDispose]();
    },
  });
}
