import type { HostKeyPrint } from "@molecule/domain/host-keys";
import type { HostKeySource } from "@molecule/domain/sets";
import { DEFAULT_TUNNEL_SETTINGS, type TunnelSettings } from "@molecule/domain/tunnel-pool";
import { privateIpOf } from "@molecule/testing/cloud/addresses";
import { type ConnectGround, startConnectGround } from "@molecule/testing/cloud/connect-ground";
import type { TestSshdOptions } from "@molecule/testing/cloud/sshd";
import { type AwsServices, createAwsServices } from "./eice/aws-services.ts";
import { EndpointDialer, type EndpointDialerOptions } from "./eice/endpoint-dialer.ts";
import type { EndpointRoute } from "./eice/endpoint-directory.ts";
import { LOG, localPlaces } from "./light-bed.fixture.ts";
import type { Places } from "./pooled-connection.ts";
import type { SshConnection } from "./ssh-connection.ts";
import { TunnelPool } from "./tunnel-pool.ts";

export type TestPool = TunnelPool<EndpointRoute, SshConnection>;

/** A real sshd behind the fakes of AWS, and pools that reach it. All pools end with it. */
export interface TunnelBed extends AsyncDisposable {
  readonly ground: ConnectGround;
  /** Pins of this bed, by machine. */
  readonly pins: Map<string, HostKeyPrint & { readonly source: HostKeySource }>;
  /** A path in the home of the user who signs in. */
  at(name: string): string;
  pool(
    change?: Partial<TunnelSettings>,
    parts?: { places?: Places; dialer?: Partial<EndpointDialerOptions> },
  ): TestPool;
  /** Everything ground, pins and pools remember is forgotten; pools end. */
  reset(): Promise<void>;
}

export async function startTunnelBed(options: TestSshdOptions = {}): Promise<TunnelBed> {
  const ground = await startConnectGround(options);
  const calm = { ...ground.control };
  const pins: TunnelBed["pins"] = new Map();
  const pools: TestPool[] = [];
  const services = servicesOn(ground);
  const hostKeys = {
    log: LOG,
    store: {
      find: (name: string) => Promise.resolve(pins.get(name) ?? null),
      pin: (name: string, key: HostKeyPrint & { readonly source: HostKeySource }) => {
        if (!pins.has(name)) pins.set(name, key);
        return Promise.resolve(pins.get(name) ?? key);
      },
    },
  };
  const endPools = async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.stop()));
  };
  return {
    ground,
    pins,
    at: (name) => `${ground.sshd.home}/${ground.sshd.user}/${name}`,
    pool: (change = {}, parts = {}) => {
      const settings = { ...DEFAULT_TUNNEL_SETTINGS, ...change };
      const { certificate } = ground.endpoint;
      const usual = { servicesOf: () => services, hostKeys, settings, certificate };
      const dialer = new EndpointDialer({ ...usual, ...parts.dialer });
      const places = parts.places ?? localPlaces(settings.maxPerEndpoint);
      const pool = new TunnelPool({ dialer, places, settings, log: LOG });
      pools.push(pool);
      return pool;
    },
    reset: async () => {
      await endPools();
      Object.assign(ground.control, calm);
      for (const name of Object.keys(ground.counts) as (keyof typeof ground.counts)[]) {
        if (name !== "live") ground.counts[name] = 0;
      }
      ground.machineListens = true;
      ground.states.clear();
      pins.clear();
    },
    [Symbol.asyncDispose]: async () => {
      await endPools();
      await ground[Symbol.asyncDispose]();
    },
  };
}

/** Keys go to the fake by the real SDK; where machines are is known without EC2. */
export function servicesOn(ground: ConnectGround): AwsServices {
  const real = createAwsServices({
    region: "us-east-2",
    credentials: ground.credentials,
    connectUrl: ground.apiUrl,
  });
  return {
    ...real,
    findInstance: (id) =>
      Promise.resolve({
        privateIp: privateIpOf(Number.parseInt(id.slice(2), 16)),
        vpcId: "vpc-1",
        subnetId: null,
      }),
    listEndpoints: () =>
      Promise.resolve([
        {
          endpointId: ground.endpointId,
          dnsName: ground.endpoint.dnsName,
          subnetId: null,
        },
      ]),
    console: () => Promise.resolve(""),
  };
}
