import type { Readable } from "node:stream";
import { BackendError } from "../provisioning/compute-backend.ts";
import type { BuildRequest, ImageEngine } from "./image-engine.ts";

/** An image engine in memory: names are all there is of an image. */
export interface FakeImageEngine extends ImageEngine {
  /** Images the engine has. */
  readonly local: Set<string>;
  /** Images a registry has. */
  readonly remote: Set<string>;
  readonly pulls: string[];
  readonly builds: BuildRequest[];
  /** The archive of each build, in order. */
  readonly contexts: Buffer[];
  failNextBuild: boolean;
}

export function createFakeImageEngine(): FakeImageEngine {
  const fake: FakeImageEngine = {
    local: new Set(),
    remote: new Set(),
    pulls: [],
    builds: [],
    contexts: [],
    failNextBuild: false,
    has: async (reference) => fake.local.has(reference),
    canPull: async (reference) => fake.remote.has(reference),
    idOf: async (reference) => (fake.local.has(reference) ? `id of ${reference}` : null),
    digestOf: async (reference) => (fake.remote.has(reference) ? `digest of ${reference}` : null),
    pull: async (reference) => {
      if (!fake.remote.has(reference)) throw refused();
      fake.pulls.push(reference);
      fake.local.add(reference);
    },
    build: async (request) => {
      fake.contexts.push(await drain(request.context));
      if (fake.failNextBuild) {
        fake.failNextBuild = false;
        throw refused();
      }
      fake.builds.push(request);
      fake.local.add(request.reference);
    },
    importRootfs: async (reference, archive) => {
      await drain(archive);
      fake.local.add(reference);
    },
  };
  return fake;
}

async function drain(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function refused(): BackendError {
  const failure = { code: "image_unavailable", sentence: "The fake engine refuses.", next: "" };
  return new BackendError({ ...failure, code: "image_unavailable" }, { isRetryable: true });
}
