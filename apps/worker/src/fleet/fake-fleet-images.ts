import type { Runtime } from "@molecule/domain/sets";
import { BackendError } from "../provisioning/compute-backend.ts";
import type { FakeBackend } from "../provisioning/fake-backend.ts";
import type { FleetImages } from "./fleet-images.ts";

/** Images in memory, published under a tag that moves, beside a fake backend's instances. */
export interface FakeFleetImages extends FleetImages {
  /** Publishes another image of a runtime; what is made from now on is made from it. */
  publish(runtime: Runtime, imageId: string): void;
  /** Runtimes that the registry does not give out. */
  readonly refused: Set<Runtime>;
  /** Every refresh, in order. */
  readonly refreshed: Runtime[];
  /** References whose digest was asked for, in order. */
  readonly looks: string[];
  /** Why the engine cannot be used; null while it can. */
  whyAway: string | null;
  /** The registry answers nobody. */
  isRegistryDown: boolean;
  /** Runs within each refresh. */
  during: () => Promise<void>;
}

export function createFakeFleetImages(backend: FakeBackend): FakeFleetImages {
  const current = new Map<Runtime, string>();
  const madeFrom = new Map<string, string>();
  const now = (runtime: Runtime) => current.get(runtime) ?? `first ${runtime}`;
  const settle = () => {
    for (const { providerId, spec } of backend.running()) {
      if (!madeFrom.has(providerId)) madeFrom.set(providerId, now(spec.runtime as Runtime));
    }
  };
  const fake: FakeFleetImages = {
    refused: new Set(),
    refreshed: [],
    looks: [],
    whyAway: null,
    isRegistryDown: false,
    isPublished: true,
    during: async () => undefined,
    publish: (runtime, imageId) => {
      settle();
      current.set(runtime, imageId);
    },
    whyNot: async () => fake.whyAway,
    refresh: async (runtime, progress) => {
      fake.refreshed.push(runtime);
      progress.onProgress(`Pulling ${runtime}`);
      await fake.during();
      progress.signal.throwIfAborted();
      if (fake.refused.has(runtime) || fake.isRegistryDown) throw refusedByRegistry();
      return { reference: nameOf(runtime), imageId: now(runtime), isPulled: true };
    },
    inUse: async () => {
      settle();
      return backend.running().map(({ workspaceId, attemptNo, providerId }) => ({
        workspaceId,
        attemptNo,
        imageId: madeFrom.get(providerId) ?? "",
      }));
    },
    movingName: (runtime) => (runtime === "external" ? null : nameOf(runtime)),
    digestOf: async (reference) => {
      fake.looks.push(reference);
      const runtime = reference.includes("demo") ? "demo" : "claude-code";
      return fake.isRegistryDown || fake.refused.has(runtime) ? null : `digest of ${now(runtime)}`;
    },
  };
  return fake;
}

function nameOf(runtime: Runtime): string {
  return `acme/runtime-${runtime}:latest`;
}

function refusedByRegistry(): BackendError {
  return new BackendError(
    { code: "image_unavailable", sentence: "The fake registry refuses.", next: "Try again." },
    { isRetryable: true },
  );
}
