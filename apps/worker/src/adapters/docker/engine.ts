import http from "node:http";
import Docker from "dockerode";
import { classify, EngineError } from "./engine-error.ts";

/** How the engine is found: `DOCKER_HOST` text, or the default socket when undefined. */
export interface EngineOptions {
  readonly dockerHost?: string | undefined;
  /** Default deadline of one call, in milliseconds. */
  readonly callTimeoutMs?: number | undefined;
}

/** Settings of one call. */
export interface CallOptions {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_CALL_TIMEOUT_MS = 20_000;

/**
 * A client of one engine in which no call is without a deadline, and every call a connection of its own:
 * an engine that stops takes no new ones, and on those it has it tells of the containers that it ends as
 * if they had ended by themselves.
 */
export interface Engine {
  readonly docker: Docker;
  /**
   * The result of one call.
   * @throws EngineError when the engine refused, did not answer, or missed the deadline; the
   * caller's own abort is rethrown as its reason.
   */
  call<T>(
    what: string,
    run: (docker: Docker, abortSignal: AbortSignal) => Promise<T>,
    options?: CallOptions,
  ): Promise<T>;
}

/** Connects to nothing by itself. With a `DOCKER_HOST` of another kind every call fails. */
export function createEngine(options: EngineOptions = {}): Engine {
  const address = addressOf(options.dockerHost);
  // The client's types leave this option out.
  const target = { ...address, agent: new http.Agent({ keepAlive: false }) };
  const docker = new Docker(target);
  const defaultTimeoutMs = options.callTimeoutMs ?? DEFAULT_CALL_TIMEOUT_MS;
  return {
    docker,
    async call(what, run, call = {}) {
      if (address === null) throw new EngineError(what, "address", {});
      const deadline = AbortSignal.timeout(call.timeoutMs ?? defaultTimeoutMs);
      const signal =
        call.signal === undefined ? deadline : AbortSignal.any([deadline, call.signal]);
      call.signal?.throwIfAborted();
      try {
        return await raceAbort(run(docker, signal), signal);
      } catch (error) {
        if (call.signal?.aborted) throw call.signal.reason;
        if (deadline.aborted) throw new EngineError(what, "timeout", { cause: error });
        throw classify(what, error);
      }
    },
  };
}

/** The client library does not settle a call that is aborted while its answer is being read. */
function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** Null for what is neither a socket nor a plain TCP address. */
function addressOf(dockerHost: string | undefined): Docker.DockerOptions | null {
  if (dockerHost === undefined || dockerHost === "") return { socketPath: "/var/run/docker.sock" };
  const socket = /^unix:\/\/(\/.+)$/.exec(dockerHost)?.[1];
  if (socket !== undefined) return { socketPath: socket };
  if (!URL.canParse(dockerHost) || new URL(dockerHost).protocol !== "tcp:") return null;
  const url = new URL(dockerHost);
  return { protocol: "http", host: url.hostname, port: Number(url.port || 2375) };
}
