import type { Database } from "@molecule/db/database";
import { readToldHostKey } from "@molecule/db/lifecycle/machine-facts";
import type { Pulse } from "@molecule/db/processes/pulse";
import { findHostKey, pinHostKey } from "@molecule/db/tunnels/host-keys";
import type { Log } from "../runtime/log.ts";
import type { Stoppable } from "../runtime/scope.ts";
import { type AwsOptions, createAwsServices } from "./eice/aws-services.ts";
import { EndpointDialer } from "./eice/endpoint-dialer.ts";
import type { EndpointRoute } from "./eice/endpoint-directory.ts";
import { createMachineShell, type PooledMachineShell } from "./machine-shell.ts";
import { PlaceLeases } from "./place-leases.ts";
import type { SshConnection } from "./ssh-connection.ts";
import type { TunnelTarget } from "./target.ts";
import { TunnelPool } from "./tunnel-pool.ts";
import type { TunnelEnv } from "./tunnel-settings.ts";

/** What the connections of one worker are made of. */
export interface MachineTunnelsOptions {
  readonly db: Database;
  /** Id of this worker. */
  readonly holder: string;
  readonly aws: AwsOptions;
  /** Who signs in on machines. */
  readonly osUser: string;
  readonly tunnels: TunnelEnv;
  readonly pulse?: Pulse | undefined;
  readonly log: Log;
}

/** All connections of this worker to machines of EC2. */
export interface MachineTunnels extends Stoppable {
  readonly pool: TunnelPool<EndpointRoute, SshConnection>;
  /** The platform's own commands. Closing it stops everything. */
  readonly shell: PooledMachineShell;
  targetOf(machineId: string): TunnelTarget;
}

/** Ids of machines and endpoints are never used twice, so which account it is need not be known. */
const ACCOUNT = "aws";

/** Starts the pool with its leases. Nothing is asked of AWS before the first connection. */
export function startMachineTunnels(options: MachineTunnelsOptions): MachineTunnels {
  const { db, log, tunnels, osUser } = options;
  const { settings, ignored, way, certificate } = tunnels;
  for (const one of ignored)
    log.warn(one, "a limit of connections is no number; its default is used");
  const services = createAwsServices(options.aws);
  const hostKeys = {
    log,
    store: {
      find: (machine: string) => findHostKey(db, machine),
      pin: (machine: string, key: Parameters<typeof pinHostKey>[2]) => pinHostKey(db, machine, key),
    },
    toldBy: ({ instanceId }: TunnelTarget) => readToldHostKey(db, instanceId),
    consoleOf: ({ instanceId }: TunnelTarget, signal: AbortSignal) =>
      services.console(instanceId, signal),
  };
  const dialer = new EndpointDialer({
    servicesOf: () => services,
    hostKeys,
    settings,
    way,
    certificate,
  });
  const { holder, pulse } = options;
  const cap = settings.maxPerEndpoint;
  const places = new PlaceLeases({ db, holder, cap, pulse, log });
  const pool = new TunnelPool({ dialer, places, settings, log });
  places.report(pool.counts);
  const { region } = options.aws;
  const targetOf = (instanceId: string) => ({ account: ACCOUNT, region, instanceId, osUser });
  const stop = async () => {
    await pool.stop();
    await places.stop();
  };
  return { pool, shell: { ...createMachineShell(pool, targetOf), close: stop }, targetOf, stop };
}
