import os from "node:os";
import type { Container, ContainerCreateOptions, ContainerInfo } from "dockerode";
import type { RuntimeImages } from "../../images/runtime-images.ts";
import { BackendError } from "../../provisioning/compute-backend.ts";
import {
  AGENT_USER,
  confinement,
  NODE_IN_IMAGE,
  STOP_GRACE_SECONDS,
  volumeMounts,
} from "./create-options.ts";
import type { CallOptions, Engine } from "./engine.ts";
import { hasStatus } from "./engine-error.ts";
import { LABEL_TASK, type VolumeKind, workspaceLabels } from "./names.ts";
import { readAll, splitOutput } from "./streams.ts";
import { limitsOfTier } from "./tiers.ts";

/** What running tasks needs. */
export interface TaskScope {
  readonly engine: Engine;
  readonly platformId: string;
  readonly images: RuntimeImages;
  /** Ids of the helpers that this process uses right now. */
  readonly liveTasks: Set<string>;
}

/** A short-lived container over a workspace's volumes, without a network. */
export interface TaskSpec {
  readonly workspaceId: string;
  readonly volumes: readonly VolumeKind[];
  /** Arguments after `node`. */
  readonly args: readonly string[];
}

/** The runtime whose image every task runs in: the `fs` command is in all of them. */
const TASK_RUNTIME = "demo";
const IMAGE_TIMEOUT_MS = 30_000;

/** Older than this, a task's worker is dead. Longer than any task may take. */
const TASK_MAX_AGE_SECONDS = 300;

/** Who a task belongs to, as its label says: the machine and the process number of its worker. */
const ownLabel = (): string => `${os.hostname()}/${process.pid}`;

/** By then the answer to the call that made a helper has come or never will. */
const TASK_ANSWER_SECONDS = 60;

/**
 * True for a task whose worker could not remove it: it is ours and we do not use it, as after an engine
 * that went away; or that process of this machine is gone; or, for a worker elsewhere and a number in use
 * again, the task is older than any may be.
 */
export function isAbandonedTask(
  info: ContainerInfo,
  nowMs: number,
  liveTasks: ReadonlySet<string>,
): boolean {
  const owner = info.Labels[LABEL_TASK];
  if (owner === undefined) return false;
  const ageSeconds = nowMs / 1000 - info.Created;
  if (ageSeconds > TASK_MAX_AGE_SECONDS) return true;
  if (owner === ownLabel()) return !liveTasks.has(info.Id) && ageSeconds > TASK_ANSWER_SECONDS;
  const [host, pid] = owner.split("/");
  return host === os.hostname() && pid !== undefined && !isAlive(Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

function taskOptions(platformId: string, spec: TaskSpec, image: string): ContainerCreateOptions {
  const owner = { platformId, workspaceId: spec.workspaceId };
  return {
    Image: image,
    User: AGENT_USER,
    WorkingDir: "/",
    Entrypoint: [NODE_IN_IMAGE, ...spec.args],
    Cmd: [],
    Env: [],
    Labels: { ...workspaceLabels(platformId, spec.workspaceId), [LABEL_TASK]: ownLabel() },
    Healthcheck: { Test: ["NONE"] },
    StopTimeout: STOP_GRACE_SECONDS,
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: {
      ...confinement(limitsOfTier(2)),
      NetworkMode: "none",
      Mounts: volumeMounts(owner, spec.volumes),
    },
  };
}

/**
 * The result of `use` on a container that was created, not started, and is gone afterwards.
 * @throws BackendError `image_unavailable` when there is no image to run it in.
 */
export async function withTaskContainer<T>(
  scope: TaskScope,
  spec: TaskSpec,
  use: (container: Container) => Promise<T>,
): Promise<T> {
  const container = await createTask(scope, spec);
  scope.liveTasks.add(container.id);
  try {
    return await use(container);
  } finally {
    scope.liveTasks.delete(container.id);
    await removeTask(scope.engine, container.id);
  }
}

async function createTask(scope: TaskScope, spec: TaskSpec): Promise<Container> {
  const image = await scope.images.ensure(TASK_RUNTIME, {
    onProgress: () => undefined,
    signal: AbortSignal.timeout(IMAGE_TIMEOUT_MS),
  });
  const body = taskOptions(scope.platformId, spec, image);
  try {
    return await scope.engine.call("create a helper container", (docker, abortSignal) => {
      const request = { _query: {}, _body: body, abortSignal };
      return docker.createContainer(request as typeof body);
    });
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
    scope.images.forget(TASK_RUNTIME);
    throw new BackendError(
      {
        code: "image_unavailable",
        sentence: "The image that reads a stopped workspace's files was removed from the engine.",
        next: "Try again; the image is made anew.",
      },
      { isRetryable: true, cause: error },
    );
  }
}

/** Runs a task to its end with `input` on its stdin; what it wrote to stdout. */
export function runTask(
  scope: TaskScope,
  spec: TaskSpec,
  io: { readonly input: string; readonly maxBytes: number },
  call: CallOptions = {},
): Promise<Buffer> {
  return withTaskContainer(scope, spec, (container) =>
    scope.engine.call(
      "run a helper container",
      async (_docker, abortSignal) => {
        const stream = await container.attach({
          stream: true,
          stdin: true,
          stdout: true,
          stderr: true,
          hijack: true,
          abortSignal,
        });
        abortSignal.addEventListener("abort", () => closeStream(stream), { once: true });
        await container.start({ abortSignal });
        stream.end(io.input);
        return splitOutput(await readAll(stream, io.maxBytes)).stdout;
      },
      call,
    ),
  );
}

/** A hijacked connection outlives an aborted call unless somebody closes it. */
export function closeStream(stream: NodeJS.ReadWriteStream): void {
  if ("destroy" in stream && typeof stream.destroy === "function") stream.destroy();
}

/** The helper is gone; gone already is success. */
export async function removeTask(engine: Engine, id: string): Promise<void> {
  try {
    await engine.call("remove a helper container", (docker, abortSignal) =>
      docker.getContainer(id).remove({ force: true, abortSignal }),
    );
  } catch (error) {
    if (!hasStatus(error, 404, 409)) throw error;
  }
}
