import { DomainError } from "@molecule/domain/errors";
import type { Backend, FileRoot } from "@molecule/domain/sets";
import { FakeTerminalAccess } from "../terminal/fake-shell.ts";
import {
  type BackendCapabilities,
  BackendError,
  type ComputeBackend,
  type Instance,
  type InstanceKey,
  type InstanceSpec,
  type LiveFiles,
} from "./compute-backend.ts";

/** A call of the port that a test can make fail or wait. */
export type FakeCall =
  | "availability"
  | "prepare"
  | "readConfigs"
  | "create"
  | "inspect"
  | "remove"
  | "fence"
  | "list"
  | "identity";

/** One instance of the fake with what it was started with. */
export interface FakeInstance extends Instance {
  readonly spec: InstanceSpec;
}

interface Volumes {
  readonly roots: Map<FileRoot, Map<string, Uint8Array>>;
}

/**
 * An honest backend in memory: idempotent by attempt, keeps folders over instances, forgets instances
 * when they are removed. Tests end instances with `crash`, look at them with `running`, and put failures
 * and waits before calls with `before`.
 */
export class FakeBackend implements ComputeBackend {
  readonly kind: Backend;
  readonly capabilities: BackendCapabilities = {
    list: true,
    console: false,
    restartInPlace: false,
    files: true,
    fence: true,
  };
  readonly files: LiveFiles;
  readonly terminal = new FakeTerminalAccess();
  /** Every attempt that was ever really created, in order. */
  readonly created: FakeInstance[] = [];
  /** Why it answers nothing now, as a sentence; null while it does. */
  whyAway: string | null = null;
  /** How often its machine has ended. */
  endCount = 0;
  /** The machine it says it is. */
  machine = "fake machine";
  readonly #instances = new Map<string, FakeInstance>();
  readonly #volumes = new Map<string, Volumes>();
  readonly #hooks = new Map<FakeCall, () => Promise<void> | void>();
  #counter = 0;

  constructor(kind: Backend = "process") {
    this.kind = kind;
    this.files = this.#liveFiles();
  }

  /** Runs `hook` before each call of `call`; a throw fails the call. Null takes the hook away. */
  before(call: FakeCall, hook: (() => Promise<void> | void) | null): void {
    if (hook === null) this.#hooks.delete(call);
    else this.#hooks.set(call, hook);
  }

  /** Ends an instance from within. */
  crash(key: InstanceKey, exit = "exit code 1"): void {
    const found = this.#instances.get(nameOf(key));
    if (found === undefined) throw new Error("invariant: only what exists crashes");
    this.#instances.set(nameOf(key), { ...found, state: "exited", address: null, exit });
  }

  /** What runs now. */
  running(): readonly FakeInstance[] {
    return [...this.#instances.values()].filter((instance) => instance.state === "running");
  }

  /** Loses all instances and folders, as a machine that was set up anew. */
  wipe(): void {
    this.#instances.clear();
    this.#volumes.clear();
  }

  /** Changes a file under `/configs` as an agent would. */
  editConfig(workspaceId: string, path: string, content: string): void {
    this.#root(workspaceId, "/configs").set(path, new TextEncoder().encode(content));
  }

  async availability() {
    await this.#hook("availability");
    const note = this.whyAway ?? "FAKE: nothing really runs.";
    return { isAvailable: this.whyAway === null, note };
  }

  async prepare(): Promise<void> {
    await this.#hook("prepare");
  }

  async readConfigs(workspaceId: string): Promise<ReadonlyMap<string, Uint8Array> | null> {
    await this.#hook("readConfigs");
    const configs = this.#volumes.get(workspaceId)?.roots.get("/configs");
    if (configs === undefined) return null;
    const isHidden = (path: string) => path.split("/").some((part) => part.startsWith("."));
    return new Map([...configs].filter(([path]) => !isHidden(path)));
  }

  async create(spec: InstanceSpec, signal: AbortSignal): Promise<Instance> {
    await this.#hook("create");
    signal.throwIfAborted();
    const existing = this.#instances.get(nameOf(spec));
    if (existing !== undefined) return viewOf(existing);
    const configs = this.#root(spec.workspaceId, "/configs");
    for (const path of spec.removedFiles) configs.delete(path);
    for (const file of spec.files) configs.set(file.path, file.content);
    this.#counter += 1;
    const instance: FakeInstance = {
      workspaceId: spec.workspaceId,
      attemptNo: spec.attemptNo,
      providerId: `fake-${this.#counter}-${spec.createToken}`,
      state: "running",
      address: `127.0.0.1:${10_000 + this.#counter}`,
      exit: null,
      spec,
    };
    this.#instances.set(nameOf(spec), instance);
    this.created.push(instance);
    return viewOf(instance);
  }

  async inspect(key: InstanceKey): Promise<Instance | null> {
    await this.#hook("inspect");
    const found = this.#instances.get(nameOf(key));
    return found === undefined ? null : viewOf(found);
  }

  async remove(key: InstanceKey, signal: AbortSignal): Promise<void> {
    await this.#hook("remove");
    signal.throwIfAborted();
    this.#instances.delete(nameOf(key));
  }

  async fence(key: InstanceKey, signal: AbortSignal): Promise<void> {
    await this.#hook("fence");
    signal.throwIfAborted();
    const found = this.#instances.get(nameOf(key));
    if (found !== undefined) this.#instances.set(nameOf(key), { ...found, address: null });
  }

  async list(): Promise<readonly Instance[]> {
    await this.#hook("list");
    return [...this.#instances.values()].map(viewOf);
  }

  ends(): number {
    return this.endCount;
  }

  async identity(): Promise<string> {
    await this.#hook("identity");
    return this.machine;
  }

  async removeVolumes(workspaceId: string): Promise<void> {
    this.#volumes.delete(workspaceId);
  }

  async logs(workspaceId: string, attemptNo: number | null, lines: number) {
    const found = [...this.#instances.values()].filter(
      (one) =>
        one.workspaceId === workspaceId && (attemptNo === null || one.attemptNo === attemptNo),
    );
    return found.map((one) => `fake instance of attempt ${one.attemptNo}`).slice(-lines);
  }

  async #hook(call: FakeCall): Promise<void> {
    await this.#hooks.get(call)?.();
    if (this.whyAway === null || call === "availability") return;
    const failure = { code: "engine_unavailable", sentence: this.whyAway, next: "Wait." } as const;
    throw new BackendError(failure, { isRetryable: true });
  }

  #root(workspaceId: string, root: FileRoot): Map<string, Uint8Array> {
    const volumes = this.#volumes.get(workspaceId) ?? { roots: new Map() };
    this.#volumes.set(workspaceId, volumes);
    const files = volumes.roots.get(root) ?? new Map<string, Uint8Array>();
    volumes.roots.set(root, files);
    return files;
  }

  #liveFiles(): LiveFiles {
    const find = (workspaceId: string, root: FileRoot, path: string) => {
      const content = this.#root(workspaceId, root).get(path);
      if (content === undefined) throw new DomainError("not_found", "There is no such file.");
      return content;
    };
    return {
      list: async (workspaceId, { root, path, depth }) => {
        const prefix = path === "" ? "" : `${path}/`;
        const entries = [...this.#root(workspaceId, root)]
          .filter(([name]) => name.startsWith(prefix))
          .filter(([name]) => name.slice(prefix.length).split("/").length <= depth)
          .map(([name, content]) => ({ path: name, size: content.length, dir: false }));
        return { entries, truncated: false };
      },
      read: async (workspaceId, root, path) => find(workspaceId, root, path),
      write: async (workspaceId, root, file) => {
        this.#root(workspaceId, root).set(file.path, file.content);
      },
      remove: async (workspaceId, root, path) => {
        find(workspaceId, root, path);
        this.#root(workspaceId, root).delete(path);
      },
    };
  }
}

function nameOf({ workspaceId, attemptNo }: InstanceKey): string {
  return `${workspaceId}/${attemptNo}`;
}

function viewOf({ spec: _spec, ...instance }: FakeInstance): Instance {
  return instance;
}
