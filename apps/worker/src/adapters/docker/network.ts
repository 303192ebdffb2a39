import { once } from "node:events";
import { createServer } from "node:net";
import type { NetworkInspectInfo } from "dockerode";
import { BackendError } from "../../provisioning/compute-backend.ts";
import type { Engine } from "./engine.ts";
import { hasStatus } from "./engine-error.ts";
import { bridgeNameOf, LABEL_PLATFORM, networkNameOf, platformLabels } from "./names.ts";

/** The platform's own bridge. */
export interface PlatformNetwork {
  readonly name: string;
  readonly bridge: string;
  /** The bridge's address when it is this machine's; null where the engine runs in a machine of its own. */
  readonly gateway: string | null;
}

const ICC = "com.docker.network.bridge.enable_icc";
const BRIDGE_NAME = "com.docker.network.bridge.name";

/**
 * The platform's bridge exists: containers on it reach neither each other nor, being a network of
 * its own, any other container. While the engine starts its bridge may not be up yet: that its gateway
 * is not this machine's is believed after `patienceMs`.
 * @throws BackendError when a network of that name exists that is not ours.
 */
export async function ensureNetwork(
  engine: Engine,
  platformId: string,
  patienceMs: number,
): Promise<PlatformNetwork> {
  const name = networkNameOf(platformId);
  const found = (await inspectNetwork(engine, name)) ?? (await createNetwork(engine, platformId));
  if (found.Labels?.[LABEL_PLATFORM] !== platformId || found.Options?.[ICC] !== "false") {
    throw new BackendError(
      {
        code: "create_failed",
        sentence: `A Docker network named ${name} exists that this platform did not make.`,
        next: `Remove it (docker network rm ${name}) and retry.`,
      },
      { isRetryable: false },
    );
  }
  const gateway = found.IPAM?.Config?.[0]?.Gateway ?? null;
  const isOurs = gateway !== null && (await comesUp(gateway, patienceMs));
  return { name, bridge: bridgeNameOf(platformId), gateway: isOurs ? gateway : null };
}

async function inspectNetwork(engine: Engine, name: string): Promise<NetworkInspectInfo | null> {
  try {
    return await engine.call("inspect the network", (docker) => docker.getNetwork(name).inspect());
  } catch (error) {
    if (hasStatus(error, 404)) return null;
    throw error;
  }
}

async function createNetwork(engine: Engine, platformId: string): Promise<NetworkInspectInfo> {
  const name = networkNameOf(platformId);
  try {
    await engine.call("create the network", (docker, abortSignal) =>
      docker.createNetwork({
        Name: name,
        Driver: "bridge",
        CheckDuplicate: true,
        Labels: platformLabels(platformId),
        Options: { [ICC]: "false", [BRIDGE_NAME]: bridgeNameOf(platformId) },
        abortSignal,
      }),
    );
  } catch (error) {
    // Another worker was faster: the name or the bridge is taken. What exists decides.
    const other = await inspectNetwork(engine, name);
    if (other !== null) return other;
    throw error;
  }
  const made = await inspectNetwork(engine, name);
  if (made === null) throw new Error(`network ${name} vanished after it was made`);
  return made;
}

const LOOK_EVERY_MS = 100;

async function comesUp(address: string, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  for (;;) {
    if (await canListenOn(address)) return true;
    if (performance.now() >= until) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/**
 * Whether this machine owns the address. Asked by listening: an interface list leaves out a bridge
 * that has no container yet.
 */
async function canListenOn(address: string): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ host: address, port: 0, exclusive: true });
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
