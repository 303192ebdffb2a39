import { randomUUID } from "node:crypto";
import { access } from "node:fs/promises";
import path from "node:path";
import type { HostKeyPrint } from "@molecule/domain/host-keys";
import { DEFAULT_TUNNEL_SETTINGS } from "@molecule/domain/tunnel-pool";
import { type FakeCloud, startFakeCloud } from "@molecule/testing/cloud/fake-cloud";
import type { MachineHost } from "@molecule/testing/cloud/machine-host";
import { awsOptionsOf, createAwsServices } from "../../tunnels/eice/aws-services.ts";
import { EndpointDialer } from "../../tunnels/eice/endpoint-dialer.ts";
import { LOG, localPlaces } from "../../tunnels/light-bed.fixture.ts";
import { createMachineShell } from "../../tunnels/machine-shell.ts";
import { TunnelPool } from "../../tunnels/tunnel-pool.ts";
import { createEc2Backend, type Ec2Backend } from "./ec2-backend.ts";
import { type Ec2Settings, readEc2Settings } from "./ec2-settings.ts";
import { machineClock } from "./machine-clock.ts";
import type { MachineShell } from "./machine-shell.ts";

const ROOT = path.resolve(import.meta.dirname, "../../../../..");
/** 30 s of AWS take 0.15 s here. */
const FASTER = 200;
/** Ten minutes of AWS are a minute here: a slow machine needs its time whatever the clock says. */
const PATIENCE = 20;

/** A backend on a fake cloud, under a platform id of its own. */
export interface Ec2TestBed extends AsyncDisposable {
  readonly cloud: FakeCloud;
  readonly platformId: string;
  readonly settings: Ec2Settings;
  /** What the settings are read from; a change counts for the next machine. */
  readonly env: Record<string, string>;
  readonly backend: Ec2Backend;
}

/** How a bed differs from the usual one. */
export interface Ec2TestBedOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Absent: real SSH. */
  readonly shell?: MachineShell;
  readonly platformUrl?: string;
}

/** Opens a bed before these machines. */
export async function openEc2TestBed(
  machines: MachineHost,
  options: Ec2TestBedOptions = {},
): Promise<Ec2TestBed> {
  const cloud = await startFakeCloud(machines);
  const env: Record<string, string> = {
    ...cloud.env,
    MOLECULE_EC2_PLATFORM_URL: options.platformUrl ?? "http://127.0.0.1:9",
    ...options.env,
  };
  const read = readEc2Settings(env);
  if (read.kind === "unset") throw new Error(read.note);
  const { settings } = read;
  const platformId = randomUUID();
  const bundle = path.join(ROOT, "apps/runtime/dist/runtime.mjs");
  await access(bundle);
  const backend = createEc2Backend({
    platformId,
    settings,
    shell: () => options.shell ?? pooledShell(cloud, settings),
    clock: machineClock(FASTER, PATIENCE),
    runtimeBundle: bundle,
  });
  return {
    cloud,
    platformId,
    settings,
    env,
    backend,
    [Symbol.asyncDispose]: async () => {
      await backend.close();
      await cloud[Symbol.asyncDispose]();
    },
  };
}

/** Real SSH through the endpoint of the fake cloud; pins and places are this bed's own. */
function pooledShell(cloud: FakeCloud, settings: Ec2Settings): MachineShell {
  const services = createAwsServices(awsOptionsOf(settings));
  const pins = new Map<string, HostKeyPrint>();
  const dialer = new EndpointDialer({
    servicesOf: () => services,
    settings: DEFAULT_TUNNEL_SETTINGS,
    certificate: cloud.connect.endpoint.certificate,
    hostKeys: {
      log: LOG,
      consoleOf: ({ instanceId }, signal) => services.console(instanceId, signal),
      store: {
        find: (machine) => Promise.resolve(pins.get(machine) ?? null),
        pin: (machine, key) => {
          if (!pins.has(machine)) pins.set(machine, key);
          return Promise.resolve(pins.get(machine) ?? key);
        },
      },
    },
  });
  const { maxPerEndpoint } = DEFAULT_TUNNEL_SETTINGS;
  const places = localPlaces(maxPerEndpoint);
  const pool = new TunnelPool({ dialer, places, settings: DEFAULT_TUNNEL_SETTINGS, log: LOG });
  const { region, osUser } = settings;
  const shell = createMachineShell(pool, (instanceId) => ({
    account: "aws",
    region,
    instanceId,
    osUser,
  }));
  return { ...shell, close: () => pool.stop() };
}
