import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { isMovingReference } from "@molecule/domain/image-reference";
import { BackendError } from "../provisioning/compute-backend.ts";
import { steadily, unlessAborted } from "../provisioning/long-step.ts";
import { buildContext, type ImageContent, readImageContent } from "./build-context.ts";
import { debianBaseDigest, makeDebianBase, planDebianBase } from "./debian-base.ts";
import type { ImageEngine, ImageProgress } from "./image-engine.ts";

/** A coding agent's installed package, to be copied into its image. */
export interface AgentPackage {
  readonly folder: string;
  /** Changes when the package does (a digest of its lock file). */
  readonly digest: string;
}

export interface RuntimeImagesOptions {
  readonly engine: ImageEngine;
  /** First part of published images' names, a registry's address mostly; absent: nothing is pulled. */
  readonly imagePrefix?: string | undefined;
  /** Tag of published images; absent: the platform's version. One that moves is pulled at every start. */
  readonly imageTag?: string | undefined;
  readonly version: string;
  /** On the images made here, so that nobody else removes them. */
  readonly platformId: string;
  readonly runtimeBundle: string;
  readonly dockerfile: string;
  /** The Node binary for a base image that is made here. */
  readonly nodePath: string;
  /** Folder for half-made file systems. */
  readonly workFolder: string;
  /** Unix time in milliseconds. */
  readonly nowMs: () => number;
  /** Installs the runtime's agent package if it is missing; null for a runtime that needs none. */
  readonly agentPackage: (runtime: string, progress: ImageProgress) => Promise<AgentPackage | null>;
}

/** The images that workspaces run in: found locally, else pulled or made. */
export interface RuntimeImages {
  /**
   * The name of an image that the engine has afterwards. Calls for one runtime share one build,
   * which goes on when a caller gives up.
   * @throws BackendError `image_unavailable` with every way that was tried.
   */
  ensure(runtime: string, progress: ImageProgress): Promise<string>;
  /**
   * As `ensure`, for the start of an attempt: a moving image is pulled again, and where that fails the
   * one that is here is used. SPEC: I6, I7.
   * @throws BackendError as `ensure`.
   */
  prepare(runtime: string, progress: ImageProgress): Promise<string>;
  /**
   * The runtime's image pulled again whatever its tag is, or made where no registry is named.
   * @throws BackendError when there is no newer look at it; what is here stays. SPEC: I8.
   */
  refresh(runtime: string, progress: ImageProgress): Promise<RefreshedImage>;
  /** The name of the runtime's image when a publisher moves it; null when it stays what it is. */
  movingName(runtime: string): string | null;
  /** Names of the images that starts use now, by runtime; those that this process has seen. */
  known(): ReadonlyMap<string, string>;
  /** The engine said that an image this answered is gone: the next `ensure` looks again. */
  forget(runtime: string): void;
  /** Null when images are there or can be made; else why not, as a sentence. */
  whyNot(): Promise<string | null>;
}

/** An image after a refresh. */
export interface RefreshedImage {
  readonly reference: string;
  /** From a registry; else it is made here. */
  readonly isPulled: boolean;
}

/** The official base; used when the engine has it or reaches a registry. */
const NODE_BASE = "node:22-bookworm-slim";
/** How long a registry may take to say whether it has the base. */
const REGISTRY_TIMEOUT_MS = 10_000;
/** The same where only a yes or no is wanted, at every start and while a worker announces itself. */
const REGISTRY_GLANCE_MS = 3_000;
/** How long an answer of `whyNot` holds. */
const GLANCE_AGAIN_AFTER_MS = 60_000;
/** First part of the names of images that are made here where nobody named another. */
export const DEFAULT_IMAGE_PREFIX = "molecule";
/** Which platform made an image. */
export const IMAGE_PLATFORM_LABEL = "molecule.image.platform";
/** The runtime whose image any other check uses, as it needs no agent package. */
const PLAIN_RUNTIME = "demo";

interface Flight {
  readonly result: Promise<string>;
  isOver: boolean;
  /** What it came to, once it did. */
  reference: string | null;
  readonly listeners: Set<(line: string) => void>;
}

/**
 * State: one promise per runtime, kept while it succeeds. A failed one is dropped, so that the next
 * call tries again.
 */
export function createRuntimeImages(options: RuntimeImagesOptions): RuntimeImages {
  const flights = new Map<string, Flight>();
  let baseFlight: Promise<string> | null = null;
  let glance: { readonly atMs: number; readonly reason: string | null } | null = null;

  // One at a time for all runtimes: two would work in the same folder.
  function sharedBase(progress: ImageProgress): Promise<string> {
    baseFlight ??= ensureBase(options, progress).finally(() => {
      baseFlight = null;
    });
    return baseFlight;
  }

  function start(runtime: string): Flight {
    const listeners = new Set<(line: string) => void>();
    const tell = (line: string) => {
      for (const listener of listeners) listener(line);
    };
    const steady = steadily(tell);
    // Nobody's abort ends a build that others may wait for; the engine calls have deadlines.
    const signal = new AbortController().signal;
    const progress = { signal, onProgress: steady.onProgress };
    const result = ensureImage({ ...options, base: sharedBase }, runtime, progress).then(
      (reference) => {
        flight.reference = reference;
        return reference;
      },
    );
    const flight: Flight = { result, listeners, isOver: false, reference: null };
    flights.set(runtime, flight);
    result
      .finally(() => {
        flight.isOver = true;
        steady.stop();
      })
      .catch(() => {
        if (flights.get(runtime) === flight) flights.delete(runtime);
      });
    return flight;
  }

  async function ensure(runtime: string, progress: ImageProgress): Promise<string> {
    progress.signal.throwIfAborted();
    const flight = flights.get(runtime) ?? start(runtime);
    flight.listeners.add(progress.onProgress);
    try {
      return await unlessAborted(flight.result, progress.signal);
    } finally {
      flight.listeners.delete(progress.onProgress);
    }
  }

  return {
    ensure,
    prepare: (runtime, progress) => {
      // Starts at the same time share one pull; a later one looks again.
      const isStale = isMoving(options, runtime) && flights.get(runtime)?.isOver === true;
      if (isStale) flights.delete(runtime);
      return ensure(runtime, progress);
    },
    refresh: async (runtime, progress) => {
      const reference = publishedName(options, runtime);
      if (options.imagePrefix !== undefined) {
        await options.engine.pull(reference, progress);
      }
      // Another image may be the right one now.
      if (flights.get(runtime)?.isOver === true) flights.delete(runtime);
      if (options.imagePrefix !== undefined) return { reference, isPulled: true };
      return { reference: await ensure(runtime, progress), isPulled: false };
    },
    movingName: (runtime) => (isMoving(options, runtime) ? publishedName(options, runtime) : null),
    known: () =>
      new Map(
        [...flights].flatMap(([runtime, { reference }]) =>
          reference === null ? [] : [[runtime, reference] as const],
        ),
      ),
    forget: (runtime) => void flights.delete(runtime),
    async whyNot() {
      if (flights.has(PLAIN_RUNTIME)) return null;
      const nowMs = options.nowMs();
      if (glance === null || nowMs - glance.atMs > GLANCE_AGAIN_AFTER_MS) {
        glance = { atMs: nowMs, reason: await whyNoImage(options) };
      }
      return glance.reason;
    },
  };
}

async function ensureImage(
  options: RuntimeImagesOptions & { base(progress: ImageProgress): Promise<string> },
  runtime: string,
  progress: ImageProgress,
): Promise<string> {
  const { engine } = options;
  const published = await findPublished(options, runtime, progress);
  if (published !== null) return published;
  const agent = await options.agentPackage(runtime, progress);
  const content = await readContent(options, runtime, agent);
  const reference = builtName(options, runtime, digestOf(content, agent));
  if (await engine.has(reference)) return reference;
  const base = await options.base(progress);
  progress.onProgress(`Building the ${runtime} image`);
  await engine.build(
    {
      reference,
      context: buildContext(content, progress.onProgress),
      buildArgs: { BASE: base },
      labels: { "molecule.runtime": runtime, [IMAGE_PLATFORM_LABEL]: options.platformId },
    },
    progress,
  );
  return reference;
}

/** The operator's published image, here afterwards; null when there is none and one has to be made. */
async function findPublished(
  options: RuntimeImagesOptions,
  runtime: string,
  progress: ImageProgress,
): Promise<string | null> {
  const { engine } = options;
  const published = publishedName(options, runtime);
  const isHere = await engine.has(published);
  if (isHere && !isMoving(options, runtime)) return published;
  // Without a prefix nobody named a registry, and none is asked. Source: wire contract §19.1.
  if (options.imagePrefix === undefined) return isHere ? published : null;
  if (!isHere) {
    if (!(await engine.canPull(published, REGISTRY_TIMEOUT_MS))) return null;
    await engine.pull(published, progress);
    return published;
  }
  if (!(await pullAgain(engine, published, progress))) {
    progress.onProgress(`${published} could not be pulled; the image that is here is used`);
  }
  return published;
}

/** Best effort: false when the registry does not answer, has no such image, or the pull broke off. */
async function pullAgain(
  engine: ImageEngine,
  reference: string,
  progress: ImageProgress,
): Promise<boolean> {
  if (!(await engine.canPull(reference, REGISTRY_TIMEOUT_MS))) return false;
  return await engine.pull(reference, progress).then(
    () => true,
    () => false,
  );
}

/** Whether the runtime's image may be another one at its next start. */
function isMoving(options: RuntimeImagesOptions, runtime: string): boolean {
  return options.imagePrefix !== undefined && isMovingReference(publishedName(options, runtime));
}

/** The name that an operator publishes an image under. */
function publishedName(options: RuntimeImagesOptions, runtime: string): string {
  const prefix = options.imagePrefix ?? DEFAULT_IMAGE_PREFIX;
  const tag = options.imagePrefix === undefined ? undefined : options.imageTag;
  return `${prefix}/runtime-${runtime}:${tag ?? options.version}`;
}

/** The name of an image made here; another content never has it. */
function builtName(options: RuntimeImagesOptions, runtime: string, digest: string): string {
  const prefix = options.imagePrefix ?? DEFAULT_IMAGE_PREFIX;
  return `${prefix}/runtime-${runtime}:${options.version}-${digest}`;
}

async function readContent(
  options: RuntimeImagesOptions,
  runtime: string,
  agent: AgentPackage | null,
): Promise<ImageContent> {
  try {
    // The folder may be a link to where somebody keeps the package for several platforms.
    const folder = agent && { name: runtime, folder: await realpath(agent.folder) };
    return await readImageContent(options, folder);
  } catch (error) {
    throw unavailable("A part of the runtime image is missing on this machine.", error);
  }
}

/** The same content, the same name; a new runtime bundle or agent package makes a new one. */
function digestOf(content: ImageContent, agent: AgentPackage | null): string {
  const hash = createHash("sha256");
  for (const part of [content.dockerfile, content.runtimeBundle, agent?.digest ?? ""]) {
    hash.update(createHash("sha256").update(part).digest());
  }
  return hash.digest("hex").slice(0, 12);
}

type Base =
  | { readonly kind: "present"; readonly reference: string }
  | { readonly kind: "pull"; readonly reference: string }
  | {
      readonly kind: "make";
      readonly reference: string;
      readonly plan: Extract<Awaited<ReturnType<typeof planDebianBase>>, { kind: "possible" }>;
    }
  | { readonly kind: "none"; readonly reason: string };

/** Null when there is an image or a way to one; the registry is asked where nothing nearer would do. */
async function whyNoImage(options: RuntimeImagesOptions): Promise<string | null> {
  const { engine } = options;
  if (await engine.has(publishedName(options, PLAIN_RUNTIME))) return null;
  const content = await readContent(options, PLAIN_RUNTIME, null);
  if (await engine.has(builtName(options, PLAIN_RUNTIME, digestOf(content, null)))) return null;
  if (await engine.has(NODE_BASE)) return null;
  const plan = await planDebianBase();
  if (plan.kind === "possible") return null;
  return (await engine.canPull(NODE_BASE, REGISTRY_GLANCE_MS)) ? null : noBase(plan.reason);
}

/** The first base that can be had: what is there, then a registry, then Debian packages. */
async function chooseBase(options: RuntimeImagesOptions): Promise<Base> {
  const { engine } = options;
  if (await engine.has(NODE_BASE)) return { kind: "present", reference: NODE_BASE };
  const plan = await planDebianBase();
  if (plan.kind === "impossible") {
    return (await engine.canPull(NODE_BASE, REGISTRY_TIMEOUT_MS))
      ? { kind: "pull", reference: NODE_BASE }
      : { kind: "none", reason: noBase(plan.reason) };
  }
  const digest = await debianBaseDigest(plan.source.suite, options.nodePath);
  const made = `${DEFAULT_IMAGE_PREFIX}/runtime-base:${digest}`;
  if (await engine.has(made)) return { kind: "present", reference: made };
  return (await engine.canPull(NODE_BASE, REGISTRY_TIMEOUT_MS))
    ? { kind: "pull", reference: NODE_BASE }
    : { kind: "make", reference: made, plan };
}

function noBase(why: string): string {
  return `There is no base image: ${NODE_BASE} is neither here nor in a registry that the engine reaches, and ${why}.`;
}

async function ensureBase(options: RuntimeImagesOptions, progress: ImageProgress): Promise<string> {
  const base = await chooseBase(options);
  if (base.kind === "none") throw unavailable(base.reason);
  if (base.kind === "pull") await options.engine.pull(base.reference, progress);
  if (base.kind === "make") {
    try {
      await makeDebianBase(options.engine, base, options, progress);
    } catch (error) {
      if (error instanceof BackendError) throw error;
      throw unavailable("The base image could not be made from Debian packages.", error);
    }
  }
  return base.reference;
}

function unavailable(sentence: string, cause?: unknown): BackendError {
  return new BackendError(
    {
      code: "image_unavailable",
      sentence,
      next: "Pull node:22-bookworm-slim into the engine, or install debootstrap and run as root; then retry.",
    },
    { isRetryable: true, cause },
  );
}
