import { BackendError } from "../../provisioning/compute-backend.ts";
import type { Engine } from "./engine.ts";
import { hasStatus } from "./engine-error.ts";
import { applyFirewall, removeFirewall } from "./host-firewall.ts";
import { bridgeNameOf, networkNameOf } from "./names.ts";
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
  /**
   * Network and rules are gone, unless a container still runs on them. An engine has about thirty
   * networks to give, so one that nobody uses must not be kept.
   */
  release(): Promise<void>;
  /** The engine's data folder, if known; never throws. */
  dataFolder(): Promise<string | undefined>;
}

/** The end of the worker does not wait longer for an engine that hangs. */
const RELEASE_TIMEOUT_MS = 5_000;
const LOOK_AGAIN_AFTER_MS = 30_000;
const BRIDGE_PATIENCE_MS = 3_000;

/**
 * State: the promise of each answer and when it was asked for, dropped when it fails; and whether the
 * engine's bridge was ever on this machine. What was once here and is not is down, not elsewhere: a
 * container that was given another address for the platform would never reach it.
 */
export function createPlatformPlace(
  engine: Engine,
  platform: {
    readonly platformId: string;
    readonly publicPort: number;
    readonly nowMs: () => number;
    /** Time that the bridge of an engine which starts has to come up, in ms. Default 3000. */
    readonly bridgePatienceMs?: number;
  },
): PlatformPlace {
  let settled: Promise<SettledPlace> | null = null;
  let settledAtMs = 0;
  let dataFolder: Promise<string | undefined> | null = null;
  let isHere: boolean | null = null;

  async function look(): Promise<SettledPlace> {
    const patienceMs = isHere === false ? 0 : (platform.bridgePatienceMs ?? BRIDGE_PATIENCE_MS);
    const network = await ensureNetwork(engine, platform.platformId, patienceMs);
    if (network.gateway === null && isHere === true) throw bridgeDown();
    isHere = network.gateway !== null;
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
    async release() {
      settled = null;
      const name = networkNameOf(platform.platformId);
      try {
        await engine.call(
          "remove the network",
          (docker, abortSignal) => docker.getNetwork(name).remove({ abortSignal }),
          { timeoutMs: RELEASE_TIMEOUT_MS },
        );
      } catch (error) {
        // 403: containers run on it. They keep their network and the rules that hold them.
        if (hasStatus(error, 403)) return;
        if (!hasStatus(error, 404)) throw error;
      }
      await removeFirewall(bridgeNameOf(platform.platformId));
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

function bridgeDown(): BackendError {
  return new BackendError(
    {
      code: "create_failed",
      sentence: "The bridge of the platform's Docker network is not up.",
      next: "Molecule tries again by itself.",
    },
    { isRetryable: true },
  );
}
