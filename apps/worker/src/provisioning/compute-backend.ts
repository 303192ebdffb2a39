import type { PublicFailure } from "@molecule/domain/errors";
import type { Backend, FileRoot } from "@molecule/domain/sets";

/** Which instance: the attempt number makes every operation idempotent. */
export interface InstanceKey {
  readonly workspaceId: string;
  readonly attemptNo: number;
}

/** One file to place into `/configs` before the start. */
export interface ProjectedFile {
  readonly path: string;
  readonly content: Uint8Array;
  /** Octal permission bits; 0o600 for tokens, 0o644 otherwise. */
  readonly mode: number;
}

/** Everything a backend needs to run one snapshot. Values in `env` are secrets: never logged. */
export interface InstanceSpec extends InstanceKey {
  readonly name: string;
  readonly runtime: string;
  /** 1 to 4; sets memory and CPU, never privilege. */
  readonly tier: number;
  readonly createToken: string;
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly ProjectedFile[];
  /** Managed paths that were deleted since the last projection. */
  readonly removedFiles: readonly string[];
}

/** What a backend knows of an instance it made. */
export interface Instance extends InstanceKey {
  /** The backend's own name for it: container id, `pid:starttime`. */
  readonly providerId: string;
  readonly state: "running" | "exited";
  /** host:port of the runtime's HTTP server as the platform dials it; null when not known. */
  readonly address: string | null;
  /** Exit code or signal, when exited and known. */
  readonly exit: string | null;
}

/** What a backend can do beyond the basics; the rest of the port is never offered without it. */
export interface BackendCapabilities {
  /** It knows everything it has made. Without it an instance is looked up by its attempt alone. */
  readonly list: boolean;
  /** It has what a machine printed before anything of ours ran on it. */
  readonly console: boolean;
  readonly restartInPlace: boolean;
  /** It places and reads files: `/configs` and the live folders. Without it the runtime fetches its own. */
  readonly files: boolean;
  /** It can cut off an instance that does not end. */
  readonly fence: boolean;
  /** What a workspace stored can be read while nothing of it runs. Absent: yes. */
  readonly readsAtRest?: boolean;
}

/** Machines that outlive attempts. */
export interface KeptMachines {
  /**
   * Ends what an attempt runs and hands its machine, which runs afterwards, to the attempt `next`; again
   * is success. False: there is none, so nothing is handed over.
   */
  handOver(key: InstanceKey, next: number, signal: AbortSignal): Promise<boolean>;
  /** Stops the attempt's machine, which keeps its disks. Resting or gone already is success. */
  rest(key: InstanceKey, signal: AbortSignal): Promise<void>;
}

/** Whether a backend can be used on this machine, as a person reads it. */
export interface BackendAvailability {
  readonly isAvailable: boolean;
  /** Why not, or what using it means ("No isolation: agents run as …"). */
  readonly note: string;
}

/**
 * Where workspaces run. Every method is idempotent by attempt and safe to repeat after a crash at
 * any point; failures are {@link BackendError}. All adapters and the fake pass the suite in
 * `compute-backend.contract.ts`.
 */
export interface ComputeBackend {
  readonly kind: Backend;
  readonly capabilities: BackendCapabilities;
  /** Probes the machine; never throws. */
  availability(): Promise<BackendAvailability>;
  /**
   * Makes ready what the start needs and may take long (image, agent package). Reports progress
   * lines for a person. Nothing of the workspace runs yet.
   */
  prepare(runtime: string, onProgress: (line: string) => void, signal: AbortSignal): Promise<void>;
  /**
   * The current content of managed files on the instance's `/configs` (dot-files left out), also
   * while nothing runs if it `readsAtRest`; null when the workspace has no volume yet, or when it cannot be
   * read now.
   */
  readConfigs(workspaceId: string): Promise<ReadonlyMap<string, Uint8Array> | null>;
  /** Creates and starts; a second call for the same attempt adopts what the first made. */
  create(spec: InstanceSpec, signal: AbortSignal): Promise<Instance>;
  /** The instance, or null when the backend confirms that it does not exist. */
  inspect(key: InstanceKey): Promise<Instance | null>;
  /** Stops and removes it; resolves only when the backend confirms it gone. Gone already is success. */
  remove(key: InstanceKey, signal: AbortSignal): Promise<void>;
  /**
   * Takes from an instance that does not end what it could still do: its network, its name, its
   * address. It is there until `remove` succeeds. Fenced or gone already is success.
   */
  fence(key: InstanceKey, signal: AbortSignal): Promise<void>;
  /** Every instance of this platform, by label, whatever the database says. By the capability alone. */
  list(): Promise<readonly Instance[]>;
  /**
   * Names the machine that is listed: the same for as long as what was made there could still be there,
   * another one after it was set up anew. A listing says what is missing only together with this.
   */
  identity(): Promise<string>;
  /**
   * How often what instances run on has ended since this process uses it, as far as it saw. Absent where
   * it does not end without this process.
   */
  ends?(): number;
  /** Removes everything the workspace stored. Only after all its instances are gone. */
  removeVolumes(workspaceId: string): Promise<void>;
  /** The last lines the instance printed; empty when there are none. */
  logs(workspaceId: string, attemptNo: number | null, lines: number): Promise<readonly string[]>;
  /** What its machine has printed since it was switched on; empty without one. By the capability alone. */
  console?(workspaceId: string, attemptNo: number | null): Promise<string>;
  /** File operations on live roots; see `WorkspaceFiles`. */
  readonly files: LiveFiles;
  /** Absent: what was made for an attempt ends with it. */
  readonly machines?: KeptMachines;
  /** Shells in running instances. Absent where the backend has none to give. */
  readonly terminal?: TerminalAccess;
}

/** Shells of one backend, as the instance's own user. */
export interface TerminalAccess {
  /** There are none, by a setting of the operator's. */
  readonly isOff: boolean;
  /** Terminals of one instance at a time where that is less than the platform's own limit. */
  readonly maxPerInstance?: number;
  /**
   * A shell in the running instance of exactly this attempt, bash where there is one, else sh; null when
   * no such instance runs. An image without either ends it with exit code 126 or 127.
   * @throws BackendError when the instance cannot be reached.
   */
  openShell(request: ShellRequest, signal: AbortSignal): Promise<Shell | null>;
  /** The stages of a connection that leads over a network, one by one; absent for what is on this machine. */
  diagnose?(key: InstanceKey, signal: AbortSignal): Promise<readonly DiagnoseStage[]>;
}

/** One shell to be opened. */
export interface ShellRequest {
  readonly key: InstanceKey;
  /** Marks everything that runs below the shell, so that its end finds it. */
  readonly terminalId: string;
  readonly cols: number;
  readonly rows: number;
  /** How long it may wait at its prompt after this worker has gone without a word. */
  readonly idleSeconds: number;
}

/** A running shell on a pseudoterminal of its own. */
export interface Shell {
  /** Resolves when more may be written. Writing to one that has ended is no failure. */
  write(data: Uint8Array): Promise<void>;
  resize(cols: number, rows: number): void;
  /** Takes no more output from the shell until `resume`: it waits. */
  pause(): void;
  resume(): void;
  /** Hears everything it prints, in order; called once. Nothing is lost before the call. */
  onOutput(listener: (data: Buffer) => void): void;
  /** Hears that its connection will be closed at an age limit. Absent where it has none. */
  onAging?(listener: (inMs: number) => void): void;
  /** Settles when it has ended, however that came; never rejects. */
  readonly ended: Promise<ShellEnd>;
  /** Ends it and everything that it left running. Ended already is success. */
  close(): Promise<void>;
}

/** How a shell ended. */
export interface ShellEnd {
  /** `lost`: the connection broke; `aged`: it reached its age limit. */
  readonly kind: "exited" | "lost" | "aged";
  /** Null when nobody knows. */
  readonly exitCode: number | null;
}

/** One stage of getting to a shell. Names are those of the wire contract §15. */
export interface DiagnoseStage {
  readonly name: string;
  readonly ok: boolean;
  readonly durationMs: number;
  /** A sentence for a person. */
  readonly error?: string;
  /** The typed fault or the tool's own words, without secrets. */
  readonly detail?: string;
}

/** Operations on a workspace's live folders. Paths are relative and already checked. */
export interface LiveFiles {
  list(
    workspaceId: string,
    at: { readonly root: FileRoot; readonly path: string; readonly depth: number },
  ): Promise<{
    readonly entries: readonly { path: string; size: number; dir: boolean }[];
    readonly truncated: boolean;
  }>;
  /** @throws DomainError `not_found`, `bad_request` (not a regular file), `payload_too_large`. */
  read(workspaceId: string, root: FileRoot, path: string): Promise<Uint8Array>;
  write(
    workspaceId: string,
    root: FileRoot,
    file: { path: string; content: Uint8Array },
  ): Promise<void>;
  remove(workspaceId: string, root: FileRoot, path: string): Promise<void>;
}

/** A backend call that failed. Vendor text stays in `cause`; `failure` is what a person reads. */
export class BackendError extends Error {
  readonly isRetryable: boolean;
  readonly failure: PublicFailure;

  constructor(failure: PublicFailure, options: { isRetryable: boolean; cause?: unknown }) {
    super(failure.sentence, { cause: options.cause });
    this.name = "BackendError";
    this.isRetryable = options.isRetryable;
    this.failure = failure;
  }
}
