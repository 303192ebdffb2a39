import { setTimeout as delay } from "node:timers/promises";
import { DomainError, type FailureCode } from "@molecule/domain/errors";
import { type BootDesk, bootEnvironment } from "../../provisioning/boot-desk.ts";
import {
  BackendError,
  type ComputeBackend,
  type Instance,
  type InstanceKey,
  type InstanceSpec,
  type LiveFiles,
} from "../../provisioning/compute-backend.ts";
import { KeyedQueue } from "../../provisioning/keyed-queue.ts";
import type { MachineMemory, RememberedMachine } from "../../provisioning/machine-memory.ts";
import {
  ControlPlaneClient,
  ControlPlaneError,
  type ControlPlaneOptions,
  type ProvisionRequest,
} from "./control-plane-client.ts";

/** What the backend is made from. */
export interface ControlPlaneBackendOptions extends ControlPlaneOptions {
  readonly memory: MachineMemory;
  readonly desk: BootDesk;
  /** Where machines reach the platform; no trailing slash. */
  readonly platformUrl: string;
  /** Port of the runtime on the machines it makes. */
  readonly agentPort: number;
  /** How long a machine may take to be gone after its end was asked for, in ms. */
  readonly stopWithinMs: number;
}

/** In front of an attempt's create token: a machine that was asked for and has no name yet. */
const ASKED = "asked:";
const STOP_POLL_MS = 1_000;
/** States in which a machine no longer is; the service's own words. */
const GONE = new Set(["terminated", "deleted", "removed", "destroyed", "gone", "not_found"]);
/** States in which it is there and runs nothing any more. */
const ENDED = new Set([
  "stopping",
  "stopped",
  "shutting-down",
  "failed",
  "error",
  "exited",
  "dead",
]);
const SERVICE = "The service that owns this agent's machine";
const never = new AbortController().signal;

/** Machines that another service makes, ends and owns. Source: wire contract §19.3. */
export function createControlPlaneBackend(options: ControlPlaneBackendOptions): ComputeBackend {
  return new ControlPlaneBackend(options);
}

/**
 * One machine of the service per attempt. The service lists nothing and is asked for a machine by its id
 * alone, so which machine an attempt has is remembered here. What the contract has no call for is no
 * capability: a listing, files, a fence.
 */
class ControlPlaneBackend implements ComputeBackend {
  readonly kind = "control-plane";
  readonly capabilities = {
    list: false,
    console: true,
    restartInPlace: false,
    files: false,
    fence: false,
  };
  readonly files: LiveFiles = NO_FILES;
  readonly #options: ControlPlaneBackendOptions;
  readonly #client: ControlPlaneClient;
  readonly #queue = new KeyedQueue();

  constructor(options: ControlPlaneBackendOptions) {
    this.#options = options;
    this.#client = new ControlPlaneClient(options);
  }

  async availability() {
    const { host } = new URL(this.#options.baseUrl);
    const note = `Another service (${host}) makes and owns the machines; files on them cannot be opened here.`;
    return { isAvailable: true, note };
  }

  async prepare(): Promise<void> {
    // The service has its own images.
  }

  async readConfigs(): Promise<null> {
    return null;
  }

  async create(spec: InstanceSpec, signal: AbortSignal): Promise<Instance> {
    return await this.#queue.run(spec.workspaceId, async () => {
      signal.throwIfAborted();
      const known = await this.inspect(spec);
      if (known !== null) return known;
      const { workspaceId, attemptNo, createToken, runtime, tier } = spec;
      const ticket = await this.#options.desk.issue(spec);
      // Before it is asked for: an answer that is lost must not lose the machine.
      const providerId = `${ASKED}${createToken}`;
      await this.#options.memory.remember({ workspaceId, attemptNo, providerId, address: null });
      const env = bootEnvironment(spec, ticket);
      const { platformUrl } = ticket;
      const asked = { workspaceId, runtime, tier, platformUrl, env, idempotencyKey: createToken };
      const machine = await told("create_failed", "make a machine", () =>
        this.#provision(spec, asked, signal),
      );
      return viewOf(machine, null);
    });
  }

  /** Asks for the machine of an attempt; the same key gives the same one. @throws ControlPlaneError */
  async #provision(
    { workspaceId, attemptNo }: InstanceKey,
    request: ProvisionRequest,
    signal: AbortSignal,
  ): Promise<RememberedMachine> {
    const { memory } = this.#options;
    try {
      const { instanceId, privateIp } = await this.#client.provision(request, signal);
      const address = this.#addressOf(privateIp);
      const machine = { workspaceId, attemptNo, providerId: instanceId, address };
      await memory.remember(machine);
      return machine;
    } catch (error) {
      const isRefused = error instanceof ControlPlaneError && !error.mayBeDone;
      if (isRefused) await memory.forget({ workspaceId, attemptNo });
      throw error;
    }
  }

  /**
   * A machine that was asked for without an answer is asked for again, which names it, so that it can be
   * ended. A service that does not heed the key makes another one, which has nothing to boot with. Null:
   * the service refuses, so there is none.
   */
  async #named(machine: RememberedMachine, signal: AbortSignal): Promise<RememberedMachine | null> {
    if (!isAsked(machine)) return machine;
    const { workspaceId, providerId } = machine;
    const idempotencyKey = providerId.slice(ASKED.length);
    const { platformUrl } = this.#options;
    const again = { workspaceId, runtime: "demo", tier: 1, platformUrl, env: {}, idempotencyKey };
    try {
      return await this.#provision(machine, again, signal);
    } catch (error) {
      if (error instanceof ControlPlaneError && !error.mayBeDone) return null;
      throw error;
    }
  }

  async inspect(key: InstanceKey): Promise<Instance | null> {
    const machine = await this.#options.memory.find(key.workspaceId, key.attemptNo);
    if (machine === null || isAsked(machine)) return null;
    const state = await told("internal", "tell the state of a machine", () =>
      this.#client.state(machine.workspaceId, machine.providerId, never),
    );
    if (state === null || GONE.has(state.toLowerCase())) return null;
    return viewOf(machine, ENDED.has(state.toLowerCase()) ? `state ${plain(state)}` : null);
  }

  async remove(key: InstanceKey, signal: AbortSignal): Promise<void> {
    await this.#queue.run(key.workspaceId, async () => {
      signal.throwIfAborted();
      const known = await this.#options.memory.find(key.workspaceId, key.attemptNo);
      if (known === null) return;
      const machine = await told("stop_failed", "name a machine", () => this.#named(known, signal));
      if (machine === null) return;
      await told("stop_failed", "end a machine", () =>
        this.#client.stop(machine.workspaceId, machine.providerId, signal),
      );
      await this.#untilGone(machine, signal);
      await this.#options.memory.forget(key);
    });
  }

  /**
   * The contract has no call that cuts a machine off. What it could still do here is taken without one: its
   * token is revoked, and the platform dials the address of the current attempt alone.
   */
  async fence(): Promise<void> {}

  async list(): Promise<readonly Instance[]> {
    throw new Error("invariant: without the capability nobody asks for a list");
  }

  async identity(): Promise<string> {
    return `control plane ${this.#options.baseUrl} ${this.#options.orgId ?? ""}`.trim();
  }

  async removeVolumes(): Promise<void> {
    // What a machine stores goes with it: the contract has no storage beside machines.
  }

  async logs(workspaceId: string, attemptNo: number | null, lines: number) {
    const output = await this.console(workspaceId, attemptNo);
    const all = output.split(/\r?\n/);
    if (all.at(-1) === "") all.pop();
    return all.slice(-lines);
  }

  async console(workspaceId: string, attemptNo: number | null): Promise<string> {
    const machine = await this.#options.memory.find(workspaceId, attemptNo);
    if (machine === null || isAsked(machine)) return "";
    return await told("internal", "give the console of a machine", () =>
      this.#client.console(workspaceId, machine.providerId, never),
    );
  }

  async #untilGone(machine: RememberedMachine, signal: AbortSignal): Promise<void> {
    const { stopWithinMs, timeScale } = this.#options;
    const deadline = performance.now() + stopWithinMs;
    for (;;) {
      const state = await told("stop_failed", "tell the state of a machine", () =>
        this.#client.state(machine.workspaceId, machine.providerId, signal),
      );
      if (state === null || GONE.has(state.toLowerCase())) return;
      if (performance.now() >= deadline) {
        throw new BackendError(
          {
            code: "stop_failed",
            sentence: `${SERVICE} was asked to end it, and the machine is still there.`,
            next: "The platform asks again by itself.",
          },
          { isRetryable: true },
        );
      }
      await delay(STOP_POLL_MS * timeScale, undefined, { signal });
    }
  }

  /** An address that says its port itself is taken as it is. */
  #addressOf(privateIp: string | null): string | null {
    if (privateIp === null || !/^[\w.:[\]-]+$/.test(privateIp)) return null;
    if (/^[^:]+:\d{1,5}$/.test(privateIp)) return privateIp;
    const host = privateIp.includes(":") ? `[${privateIp.replace(/^\[|\]$/g, "")}]` : privateIp;
    return `${host}:${this.#options.agentPort}`;
  }
}

function isAsked({ providerId }: RememberedMachine): boolean {
  return providerId.startsWith(ASKED);
}

function viewOf(machine: RememberedMachine, exit: string | null): Instance {
  const { workspaceId, attemptNo, providerId, address } = machine;
  const isEnded = exit !== null;
  return {
    workspaceId,
    attemptNo,
    providerId,
    state: isEnded ? "exited" : "running",
    address: isEnded ? null : address,
    exit,
  };
}

/** A state is the service's word: only its letters are shown. */
function plain(state: string): string {
  return state.replace(/[^\w-]/g, "").slice(0, 40);
}

/**
 * Runs a call; what fails becomes one of a few fixed sentences. The service's own words are in the log.
 * Source: wire contract §19.3.
 */
async function told<T>(code: FailureCode, doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ControlPlaneError) throw failureOf(error, code, doing);
    throw error;
  }
}

function failureOf(error: ControlPlaneError, code: FailureCode, doing: string): BackendError {
  const { status } = error;
  if (status === null || status === 429 || status >= 500) {
    // A fault of the service, not of the agent: it is tried again for as long as it takes. SPEC: B7.
    const failure = {
      code: code === "stop_failed" ? code : "engine_unavailable",
      sentence:
        status === 429
          ? `${SERVICE} has too many requests at the moment.`
          : `${SERVICE} does not answer as it should.`,
      next: "The platform tries again by itself; its log has the service's own words.",
    } as const;
    return new BackendError(failure, { isRetryable: true, cause: error });
  }
  const isRefused = status === 401 || status === 403;
  const failure = {
    code: isRefused ? "backend_unavailable" : code,
    sentence: isRefused
      ? `${SERVICE} does not accept this platform's secret.`
      : `${SERVICE} refused to ${doing}.`,
    next: isRefused
      ? "Set MOLECULE_CP_SHARED_SECRET (for the console CP_ADMIN_API_TOKEN) to what the service expects."
      : "The platform's log has the service's own words.",
  } as const;
  return new BackendError(failure, { isRetryable: code === "stop_failed", cause: error });
}

function noFiles(): Promise<never> {
  return Promise.reject(
    new DomainError("not_available_here", `${SERVICE} gives no way to its files.`, {
      next: "Managed files under /configs can be edited; they reach the agent with its next start.",
    }),
  );
}

const NO_FILES: LiveFiles = { list: noFiles, read: noFiles, write: noFiles, remove: noFiles };
