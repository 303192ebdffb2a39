import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { splitReference } from "@molecule/domain/image-reference";
import type { ImageEngine } from "../../images/image-engine.ts";
import type { Engine } from "./engine.ts";
import { EngineError, hasStatus, toBackendError } from "./engine-error.ts";

const LONG_MS = 15 * 60_000;

/** What a registry wants to know of who asks; undefined for one that is asked without a name. */
export type RegistryLogin = (
  reference: string,
) => { readonly username: string; readonly password: string } | undefined;

/** The engine as a place to make images in. Failures are BackendErrors. */
export function createDockerImages(
  engine: Engine,
  loginFor: RegistryLogin = () => undefined,
): ImageEngine {
  const digestOf = async (reference: string, timeoutMs: number): Promise<string | null> => {
    const authconfig = loginFor(reference);
    try {
      const found = await engine.call(
        "ask the registry",
        (docker, abortSignal) =>
          docker.getImage(reference).distribution({ abortSignal, authconfig }),
        { timeoutMs },
      );
      return (found as RegistryAnswer).Descriptor.digest;
    } catch {
      return null;
    }
  };
  return {
    has: async (reference) => (await idOf(engine, reference)) !== null,
    idOf: (reference) => idOf(engine, reference),
    canPull: async (reference, timeoutMs) => (await digestOf(reference, timeoutMs)) !== null,
    digestOf,
    pull: (reference, progress) =>
      long(engine, "pull an image", progress, async (signal) => {
        const { name: fromImage, tag } = splitReference(reference);
        progress.onProgress(`Pulling ${reference}`);
        // Without a tag the engine would pull every tag that the registry has.
        const authconfig = loginFor(reference);
        const stream = await engine.docker.createImage({
          ...(authconfig === undefined ? {} : { authconfig }),
          fromImage,
          tag: tag || "latest",
          abortSignal: signal,
        });
        const layers = new Map<string, LayerProgress>();
        await follow(stream as Readable, "pull an image", (message) => {
          const line = tellLayers(layers, message);
          if (line !== null) progress.onProgress(`Pulling ${reference}: ${line}`);
        });
      }),
    build: (request, progress) =>
      long(engine, "build the image", progress, async (signal) => {
        const stream = await engine.docker.buildImage(request.context, {
          t: request.reference,
          buildargs: { ...request.buildArgs },
          labels: { ...request.labels },
          rm: true,
          forcerm: true,
          // The classic builder: the other needs a session, which nothing here would use.
          version: "1",
          abortSignal: signal,
        });
        await follow(stream as Readable, "build the image", (message) => {
          const step = /^Step (\d+)\/(\d+) /.exec(message.stream ?? "");
          if (step !== null)
            progress.onProgress(`Building the image: step ${step[1]} of ${step[2]}`);
        });
      }),
    importRootfs: (reference, archive, progress) =>
      long(engine, "import the base system", progress, async (signal) => {
        const { name: repo, tag } = splitReference(reference);
        const stream = await engine.docker.importImage(archive, {
          repo,
          tag: tag || "latest",
          abortSignal: signal,
        });
        await follow(stream as Readable, "import the base system", () => undefined);
      }),
  };
}

async function idOf(engine: Engine, reference: string): Promise<string | null> {
  try {
    const found = await engine.call("inspect an image", (docker) =>
      docker.getImage(reference).inspect(),
    );
    return found.Id;
  } catch (error) {
    if (hasStatus(error, 404)) return null;
    throw await toBackendError(error, { doing: "look for an image", code: "image_unavailable" });
  }
}

async function long(
  engine: Engine,
  doing: string,
  progress: { readonly signal: AbortSignal },
  run: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const options = { timeoutMs: LONG_MS, signal: progress.signal };
  try {
    await engine.call(doing, (_docker, signal) => run(signal), options);
  } catch (error) {
    if (progress.signal.aborted) throw progress.signal.reason;
    throw await toBackendError(error, { doing, code: "image_unavailable" });
  }
}

/** Reads the engine's progress to its end. A failure arrives as a line of a 200 answer. */
async function follow(
  stream: Readable,
  doing: string,
  onMessage: (message: EngineMessage) => void,
) {
  for await (const line of createInterface({
    input: stream,
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    if (line.trim() === "") continue;
    const message = JSON.parse(line) as EngineMessage;
    if (message.error !== undefined) {
      throw new EngineError(doing, "status", { status: 500, cause: new Error(message.error) });
    }
    onMessage(message);
  }
}

/** What a registry has under a name. Source: Docker Engine API 1.41, `DistributionInspect`. */
interface RegistryAnswer {
  readonly Descriptor: { readonly digest: string };
}

/** One line of the engine's progress. Source: Docker Engine API 1.41, `ImageCreate`, `ImageBuild`. */
interface EngineMessage {
  readonly stream?: string;
  readonly error?: string;
  /** The layer that the line is about. */
  readonly id?: string;
  readonly status?: string;
  /** Bytes. */
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

/** Bytes of one layer. */
interface LayerProgress {
  current: number;
  total: number;
}

/** Counts the line in; "12 of 104 MB", or null for a line that is about no download. */
function tellLayers(layers: Map<string, LayerProgress>, message: EngineMessage): string | null {
  const { id, status, progressDetail } = message;
  if (id === undefined || status !== "Downloading") return null;
  const { current = 0, total = 0 } = progressDetail ?? {};
  layers.set(id, { current, total });
  const sum = (of: keyof LayerProgress) =>
    [...layers.values()].reduce((bytes, layer) => bytes + layer[of], 0);
  const inMegabytes = (bytes: number) => Math.round(bytes / 1e6);
  return `${inMegabytes(sum("current"))} of ${inMegabytes(sum("total"))} MB`;
}
