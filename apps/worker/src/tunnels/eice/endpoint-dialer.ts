import { deservesFreshGrant } from "@molecule/domain/tunnel-faults";
import type { TunnelSettings } from "@molecule/domain/tunnel-pool";
import type { Carrier } from "../carrier.ts";
import { connectSsh, newKeyPair } from "../connect-ssh.ts";
import { TunnelError } from "../errors.ts";
import { checkHostKey, type HostKeyOptions } from "../host-key-check.ts";
import type { Dialer } from "../pooled-connection.ts";
import type { SshConnection } from "../ssh-connection.ts";
import { machineKeyOf, type TunnelTarget } from "../target.ts";
import { openTcp } from "../tcp-carrier.ts";
import { openWebSocket } from "../websocket-carrier.ts";
import type { AwsServices } from "./aws-services.ts";
import { EndpointDirectory, type EndpointRoute, type MachineWay } from "./endpoint-directory.ts";
import { signOpenTunnel } from "./sign-open-tunnel.ts";

/** What connections through an endpoint are made of. */
export interface EndpointDialerOptions {
  /** One per account and region; asked at every connection. */
  readonly servicesOf: (target: TunnelTarget) => AwsServices;
  readonly hostKeys: HostKeyOptions;
  readonly settings: TunnelSettings;
  /** Default `auto`. */
  readonly way?: MachineWay;
  /** Default: TCP to port 22. */
  readonly openPrivate?: (privateIp: string, signal: AbortSignal) => Promise<Carrier>;
  /** PEM to trust at the endpoint beside the usual ones; absent: none. */
  readonly certificate?: string | undefined;
}

/**
 * Connections through EC2 Instance Connect: a fresh key is let in by AWS while the websocket opens and the
 * keys are exchanged. No process, no file, no port.
 */
export class EndpointDialer implements Dialer<EndpointRoute, SshConnection> {
  readonly #options: EndpointDialerOptions;
  readonly #directory: EndpointDirectory;

  constructor(options: EndpointDialerOptions) {
    this.#options = options;
    const { servicesOf, settings } = options;
    const { instanceTtlMs, endpointTtlMs } = settings;
    this.#directory = new EndpointDirectory({
      servicesOf,
      way: options.way ?? "auto",
      instanceTtlMs,
      endpointTtlMs,
    });
  }

  route(target: TunnelTarget, signal: AbortSignal): Promise<EndpointRoute> {
    return this.#directory.find(target, signal);
  }

  forgetRoute(target: TunnelTarget): void {
    this.#directory.forget(target);
  }

  async dial(
    target: TunnelTarget,
    route: EndpointRoute,
    signal: AbortSignal,
  ): Promise<SshConnection> {
    try {
      return await this.#dialOnce(target, route, signal);
    } catch (error) {
      const isLate = error instanceof TunnelError && deservesFreshGrant(error.fault, error.facts);
      if (!isLate) throw error;
      return await this.#dialOnce(target, route, signal);
    }
  }

  async #dialOnce(
    target: TunnelTarget,
    route: EndpointRoute,
    signal: AbortSignal,
  ): Promise<SshConnection> {
    const { settings, hostKeys } = this.#options;
    const services = this.#options.servicesOf(target);
    const { privateKey, publicKey } = newKeyPair();
    const { instanceId, osUser } = target;
    const end = new AbortController();
    const either = AbortSignal.any([signal, end.signal]);
    const pushed = services.pushKey({ instanceId, osUser, publicKey }, either);
    const granted = pushed.then(() => ({ atMs: Date.now() }));
    const pin = hostKeys.store.find(machineKeyOf(target));
    // Whoever signs in waits for both; when the way does not open nobody does.
    for (const early of [granted, pin]) early.catch(() => undefined);
    let carrier: Carrier | null = null;
    try {
      carrier = await this.#open(target, route, { granted, signal: either });
      const pinned = await pin;
      return await connectSsh({
        carrier,
        user: osUser,
        privateKey,
        granted,
        pinned,
        isOwnKey: (key) => checkHostKey(hostKeys, target, { key, pinned }, signal),
        settings,
        signal,
      });
    } catch (error) {
      end.abort();
      void carrier?.close();
      throw error;
    }
  }

  /** The way, unless AWS refuses the key before it is open. */
  async #open(
    target: TunnelTarget,
    route: EndpointRoute,
    beside: { readonly granted: Promise<unknown>; readonly signal: AbortSignal },
  ): Promise<Carrier> {
    const opening = this.#openWay(target, route, beside.signal);
    const refused = beside.granted.then(() => new Promise<never>(() => undefined));
    try {
      return await Promise.race([opening, refused]);
    } catch (error) {
      opening.then((unwanted) => unwanted.close()).catch(() => undefined);
      throw error;
    }
  }

  async #openWay(
    target: TunnelTarget,
    { privateIp, through }: EndpointRoute,
    signal: AbortSignal,
  ): Promise<Carrier> {
    const { settings, certificate, servicesOf, openPrivate } = this.#options;
    if (through === null) {
      return await (openPrivate ?? ((host, end) => openTcp({ host, port: 22 }, end)))(
        privateIp,
        signal,
      );
    }
    const credentials = await servicesOf(target).credentials();
    const { maxTunnelSeconds } = settings;
    const request = { ...through, privateIp, region: target.region, maxTunnelSeconds };
    const url = signOpenTunnel(request, credentials, Date.now());
    return await openWebSocket({ url, certificate, signal });
  }
}
