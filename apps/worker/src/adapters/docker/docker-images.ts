import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { ImageEngine } from "../../images/image-engine.ts";
import type { Engine } from "./engine.ts";
import { EngineError, hasStatus, toBackendError } from "./engine-error.ts";

const LONG_MS = 15 * 60_000;

/** The engine as a place to make images in. Failures are BackendErrors. */
export function createDockerImages(engine: Engine): ImageEngine {
  return {
    async has(reference) {
      try {
        await engine.call("inspect an image", (docker) => docker.getImage(reference).inspect());
        return true;
      } catch (error) {
        if (hasStatus(error, 404)) return false;
        throw await toBackendError(error, {
          doing: "look for an image",
          code: "image_unavailable",
        });
      }
    },
    async canPull(reference, timeoutMs) {
      try {
        await engine.call(
          "ask the registry",
          (docker, abortSignal) => docker.getImage(reference).distribution({ abortSignal }),
          { timeoutMs },
        );
        return true;
      } catch {
        return false;
      }
    },
    pull: (reference, progress) =>
      long(engine, "pull an image", progress, async (signal) => {
        const [fromImage, tag] = splitReference(reference);
        const stream = await engine.docker.createImage({ fromImage, tag, abortSignal: signal });
        progress.onProgress(`Pulling ${reference}`);
        await follow(stream as Readable, "pull an image", () => undefined);
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
        await follow(stream as Readable, "build the image", (text) => {
          const step = /^Step (\d+)\/(\d+) /.exec(text);
          if (step !== null)
            progress.onProgress(`Building the image: step ${step[1]} of ${step[2]}`);
        });
      }),
    importRootfs: (reference, archive, progress) =>
      long(engine, "import the base system", progress, async (signal) => {
        const [repo, tag] = splitReference(reference);
        const stream = await engine.docker.importImage(archive, { repo, tag, abortSignal: signal });
        await follow(stream as Readable, "import the base system", () => undefined);
      }),
  };
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
async function follow(stream: Readable, doing: string, onText: (text: string) => void) {
  for await (const line of createInterface({
    input: stream,
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    if (line.trim() === "") continue;
    const message = JSON.parse(line) as { stream?: string; error?: string };
    if (message.error !== undefined) {
      throw new EngineError(doing, "status", { status: 500, cause: new Error(message.error) });
    }
    if (message.stream !== undefined) onText(message.stream);
  }
}

/** Name and tag; a colon before a slash belongs to the registry's port. */
function splitReference(reference: string): [name: string, tag: string] {
  const colon = reference.lastIndexOf(":");
  if (colon === -1 || reference.indexOf("/", colon) !== -1) return [reference, "latest"];
  return [reference.slice(0, colon), reference.slice(colon + 1)];
}
