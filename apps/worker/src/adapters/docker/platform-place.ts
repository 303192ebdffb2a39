import type { Engine } from "./engine.ts";
import { applyFirewall } from "./host-firewall.ts";
import { ensureNetwork, type PlatformNetwork } from "./network.ts";

/** The platform's surroundings on the engine, once they are in place. */
interface SettledPlace {
  readonly network: PlatformNetwork;
  /** Containers reach nothing of this machine but the platform's port. */
  readonly isFirewalled: boolean;
}

/** The network and the host's rules for it, shared by every container of the platform. */
export interface PlatformPlace {
  /** Both are in place. Looked at again after half a minute: people prune networks and flush rules. */
  settle(): Promise<SettledPlace>;
  /** The engine said that something is gone: the next `settle` looks again. */
  forget(): void;
  /** The engine's data folder, if known; never throws. */
  dataFolder(): Promise<string | undefined>;
}

const LOOK_AGAIN_AFTER_MS = 30_000;

/** State: the promise of each answer and when it was asked for, dropped when it fails. */
export function createPlatformPlace(
  engine: Engine,
  platform: {
    readonly platformId: string;
    readonly publicPort: number;
    readonly nowMs: () => number;
  },
): PlatformPlace {
  let settled: Promise<SettledPlace> | null = null;
  let settledAtMs = 0;
  let dataFolder: Promise<string | undefined> | null = null;

  async function look(): Promise<SettledPlace> {
    const network = await ensureNetwork(engine, platform.platformId);
    const isFirewalled =
      network.gateway !== null &&
      (await applyFirewall({
        bridge: network.bridge,
        gateway: network.gateway,
        platformPort: platform.publicPort,
      }));
    return { network, isFirewalled };
  }

  return {
    settle() {
      const nowMs = platform.nowMs();
      if (settled === null || nowMs - settledAtMs > LOOK_AGAIN_AFTER_MS) {
        const current = look();
        settled = current;
        settledAtMs = nowMs;
        current.catch(() => {
          if (settled === current) settled = null;
        });
      }
      return settled;
    },
    forget() {
      settled = null;
    },
    dataFolder() {
      dataFolder ??= engine
        .call("ask for the engine's settings", (docker) => docker.info())
        .then((info: { DockerRootDir?: string }) => info.DockerRootDir)
        .catch(() => {
          dataFolder = null;
          return undefined;
        });
      return dataFolder;
    },
  };
}
