import { TunnelError } from "../errors.ts";
import type { Route } from "../pooled-connection.ts";
import { machineKeyOf, type TunnelTarget } from "../target.ts";
import type { AwsServices, EndpointRow, InstanceRow } from "./aws-services.ts";

/** The way to a machine. */
export interface EndpointRoute extends Route {
  readonly privateIp: string;
  /** Null: its private address is dialled as it is. */
  readonly through: { readonly endpointId: string; readonly dnsName: string } | null;
}

/** `auto`: through an endpoint where the machine's network has one, else to its private address. */
export type MachineWay = "auto" | "endpoint" | "private";

/** How long answers of AWS are believed, and what time it is. */
export interface DirectoryOptions {
  readonly servicesOf: (target: TunnelTarget) => AwsServices;
  readonly way: MachineWay;
  readonly instanceTtlMs: number;
  readonly endpointTtlMs: number;
  readonly nowMs?: () => number;
}

interface Remembered<T> {
  readonly value: Promise<T>;
  readonly until: number;
}

/**
 * Finds machines and their endpoints. A tunnel leads to a private address, which another machine may have
 * tomorrow: answers are believed for a while only, and forgotten when a connection fails.
 */
export class EndpointDirectory {
  readonly #options: DirectoryOptions;
  readonly #instances = new Map<string, Remembered<InstanceRow | null>>();
  readonly #endpoints = new Map<string, Remembered<readonly EndpointRow[]>>();

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** @throws TunnelError `target-unreachable` when there is no machine or no endpoint. */
  async find(target: TunnelTarget, signal: AbortSignal): Promise<EndpointRoute> {
    const { servicesOf, instanceTtlMs, way } = this.#options;
    const services = servicesOf(target);
    const machine = machineKeyOf(target);
    const instance = await this.#recall(this.#instances, machine, instanceTtlMs, () =>
      services.findInstance(target.instanceId, signal),
    );
    if (instance === null) throw new TunnelError("target-unreachable");
    const { privateIp } = instance;
    const chosen = way === "private" ? undefined : await this.#endpointOf(target, instance, signal);
    if (chosen !== undefined) {
      const endpoint = `${target.account}/${target.region}/${chosen.endpointId}`;
      return { endpoint, privateIp, through: chosen };
    }
    if (way === "endpoint") throw new TunnelError("target-unreachable");
    // No endpoint, so no cap that machines would share.
    return { endpoint: machine, privateIp, through: null };
  }

  async #endpointOf(
    target: TunnelTarget,
    instance: InstanceRow,
    signal: AbortSignal,
  ): Promise<EndpointRow | undefined> {
    const { servicesOf, endpointTtlMs } = this.#options;
    const network = networkKeyOf(target, instance.vpcId);
    const endpoints = await this.#recall(this.#endpoints, network, endpointTtlMs, () =>
      servicesOf(target).listEndpoints(instance.vpcId, signal),
    );
    return endpoints.find(({ subnetId }) => subnetId === instance.subnetId) ?? endpoints[0];
  }

  /** Both are asked for anew. */
  forget(target: TunnelTarget): void {
    this.#instances.delete(machineKeyOf(target));
    const network = networkKeyOf(target, "");
    for (const key of this.#endpoints.keys()) {
      if (key.startsWith(network)) this.#endpoints.delete(key);
    }
  }

  async #recall<T>(
    memory: Map<string, Remembered<T>>,
    key: string,
    ttlMs: number,
    ask: () => Promise<T>,
  ): Promise<T> {
    const now = (this.#options.nowMs ?? Date.now)();
    const known = memory.get(key);
    if (known !== undefined && known.until > now) return await known.value;
    const value = ask();
    memory.set(key, { value, until: now + ttlMs });
    try {
      return await value;
    } catch (error) {
      memory.delete(key);
      throw error;
    }
  }
}

function networkKeyOf(target: TunnelTarget, vpcId: string): string {
  return `${target.account}/${target.region}/${vpcId}`;
}
