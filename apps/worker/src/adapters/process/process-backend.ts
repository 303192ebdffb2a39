import { readdir, readFile, rm, stat } from "node:fs/promises";
import type { AgentPackages } from "../../provisioning/agent-packages.ts";
import type {
  ComputeBackend,
  Instance,
  InstanceKey,
  InstanceSpec,
} from "../../provisioning/compute-backend.ts";
import { KeyedQueue } from "../../provisioning/keyed-queue.ts";
import { Accounts, isCode } from "./accounts.ts";
import { projectFiles, readFiles, removeProjected } from "./config-files.ts";
import { folderIdentity } from "./folder-identity.ts";
import { markerOf, parseMarker } from "./instance-marker.ts";
import { createLiveFiles } from "./live-files.ts";
import { boundLog, tailLog } from "./log-files.ts";
import { placesOf, workspacesFolder } from "./places.ts";
import { classified } from "./process-failures.ts";
import { createProcessTerminal } from "./process-shell.ts";
import {
  MARKER,
  openProcessTable,
  type ProcessTable,
  type RunningProcess,
} from "./process-table.ts";
import {
  type InstanceRecord,
  readRecord,
  recordedAttempts,
  removeRecord,
  writeRecord,
} from "./records.ts";
import { startProcess } from "./start-process.ts";
import { killProcess, type StopRequest, stopProcess } from "./stop-process.ts";

/** What the platform tells its process backend. */
export interface ProcessBackendOptions {
  readonly platformId: string;
  /** MOLECULE_HOME; folders of workspaces are below it. */
  readonly home: string;
  /** The platform's public port on the loopback address. */
  readonly platformPort: number;
  readonly nodePath: string;
  /** The built `runtime.mjs`, where the users that agents run as can read it. */
  readonly runtimeBundle: string;
  /** True when the platform may give every workspace a user of its own. */
  readonly isRoot: boolean;
  /** Name of the platform's own user, for the note of what this backend means. */
  readonly userName: string;
  /** What instances inherit from the machine. */
  readonly inherited: Readonly<Record<string, string>>;
  /** How long an instance may take to end after it was asked to, in ms. */
  readonly stopGraceMs: number;
  readonly agents: AgentPackages;
  /** Signed-in people may open shells on this machine. Absent: not. */
  readonly allowsTerminal?: boolean;
}

/** What is remembered of an instance. */
interface Recorded {
  readonly key: InstanceKey;
  readonly record: InstanceRecord;
}

/** Workspaces as processes of this machine. */
export async function createProcessBackend(
  options: ProcessBackendOptions,
): Promise<ComputeBackend> {
  return new ProcessBackend(options, await openProcessTable(), await readBootId());
}

/** Numbers and start times of processes repeat after a reboot; this does not. */
async function readBootId(): Promise<string> {
  const text = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "boot");
  return text.trim().slice(0, 8);
}

/**
 * One detached process per attempt. What exists is read off the machine each time: a record per attempt
 * below the workspace's folder and the marker in the environment of everything an instance runs.
 */
class ProcessBackend implements ComputeBackend {
  readonly kind = "process";
  readonly capabilities = {
    list: true,
    console: false,
    restartInPlace: false,
    files: true,
    fence: true,
  };
  readonly files;
  readonly terminal;
  readonly #options: ProcessBackendOptions;
  readonly #table: ProcessTable;
  readonly #bootId: string;
  readonly #accounts: Accounts;
  readonly #queue = new KeyedQueue();

  constructor(options: ProcessBackendOptions, table: ProcessTable, bootId: string) {
    this.#options = options;
    this.#table = table;
    this.#bootId = bootId;
    this.#accounts = new Accounts(options.home, options.isRoot);
    this.files = createLiveFiles({ ...options, accounts: this.#accounts });
    this.terminal = createProcessTerminal({
      isAllowed: options.allowsTerminal === true,
      isRoot: options.isRoot,
      isRunning: async (key) => (await this.inspect(key))?.state === "running",
      placesOf: (workspaceId) => this.#places(workspaceId),
      accountOf: (places) => this.#accounts.find(places),
      markOf: (key) => ({ [MARKER]: markerOf(options.platformId, key) }),
    });
  }

  async availability() {
    const { isRoot, userName } = this.#options;
    const note = isRoot
      ? "No containers: each agent runs as a user of its own on this machine, without limits on memory and network."
      : `No isolation: agents run as ${userName} on this machine and can do what ${userName} can do.`;
    return { isAvailable: true, note };
  }

  async prepare(runtime: string, onProgress: (line: string) => void, signal: AbortSignal) {
    await this.#options.agents.ensure(runtime, { onProgress, signal });
  }

  async readConfigs(workspaceId: string) {
    return await classified("internal", "The agent's files could not be read.", () =>
      readFiles(this.#places(workspaceId).configs),
    );
  }

  async create(spec: InstanceSpec, signal: AbortSignal): Promise<Instance> {
    return await this.#queue.run(spec.workspaceId, async () => {
      signal.throwIfAborted();
      return await classified("create_failed", "The agent's process could not be started.", () =>
        this.#createNow(spec),
      );
    });
  }

  async inspect(key: InstanceKey): Promise<Instance | null> {
    const record = await readRecord(this.#places(key.workspaceId), key.attemptNo);
    if (record === null) return await this.#unrecorded(key);
    if (record.pid === null) return (await this.#adopt(key, record)) ?? null;
    return await this.#fromRecord(key, record);
  }

  async remove(key: InstanceKey, signal: AbortSignal): Promise<void> {
    await this.#queue.run(key.workspaceId, async () => {
      signal.throwIfAborted();
      await classified("stop_failed", "The agent's process could not be ended.", async () => {
        await stopProcess(this.#table, await this.#stopRequest(key));
        await removeRecord(this.#places(key.workspaceId), key.attemptNo);
      });
    });
  }

  async fence(key: InstanceKey, signal: AbortSignal): Promise<void> {
    await this.#queue.run(key.workspaceId, async () => {
      signal.throwIfAborted();
      await classified("stop_failed", "The agent's process could not be killed.", async () =>
        killProcess(this.#table, await this.#stopRequest(key)),
      );
    });
  }

  async identity(): Promise<string> {
    return await classified("internal", "The agents' folder could not be read.", () =>
      folderIdentity(workspacesFolder(this.#options.home)),
    );
  }

  async #stopRequest(key: InstanceKey): Promise<StopRequest> {
    const places = this.#places(key.workspaceId);
    return {
      platformId: this.#options.platformId,
      key,
      record: await readRecord(places, key.attemptNo),
      account: await this.#accounts.find(places),
      graceMs: this.#options.stopGraceMs,
      hasLaterAttempt: async () =>
        (await recordedAttempts(places)).some((attemptNo) => attemptNo > key.attemptNo),
    };
  }

  async list(): Promise<readonly Instance[]> {
    const running = await this.#table.list();
    const byPid = new Map(running.map((one) => [one.pid, one]));
    const found = new Map<string, Instance>();
    for (const { key, record } of await this.#records()) {
      if (record.pid === null) continue;
      const { workspaceId, attemptNo } = key;
      const isRunning = byPid.get(record.pid)?.startTime === record.startTime;
      found.set(`${workspaceId}/${attemptNo}`, this.#view(key, record, isRunning));
      if (isRunning) await boundLog(this.#places(workspaceId), attemptNo);
    }
    for (const one of running) {
      const key = parseMarker(this.#options.platformId, one.marker);
      if (key === null) continue;
      const name = `${key.workspaceId}/${key.attemptNo}`;
      if (!found.has(name)) found.set(name, await this.#viewStray(key, one));
    }
    return [...found.values()];
  }

  async removeVolumes(workspaceId: string): Promise<void> {
    await this.#queue.run(workspaceId, async () => {
      const places = this.#places(workspaceId);
      await this.#accounts.release(workspaceId);
      await rm(places.folder, { recursive: true, force: true });
    });
  }

  async logs(workspaceId: string, attemptNo: number | null, lines: number) {
    return await tailLog(this.#places(workspaceId), attemptNo, lines);
  }

  #places(workspaceId: string) {
    return placesOf(this.#options.home, workspaceId);
  }

  async #workspaceIds(): Promise<readonly string[]> {
    const names = await readdir(workspacesFolder(this.#options.home)).catch(() => []);
    return names.filter((name) => /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(name));
  }

  async #createNow(spec: InstanceSpec): Promise<Instance> {
    const existing = await this.inspect(spec);
    if (existing !== null) return existing;
    const places = this.#places(spec.workspaceId);
    const agent = await this.#options.agents.find(spec.runtime);
    const account = await this.#accounts.prepare(places, spec.workspaceId);
    await removeProjected(places.configs, spec.removedFiles);
    await projectFiles(places.configs, spec.files, account);
    const record = await startProcess(
      { ...this.#options, table: this.#table },
      {
        spec,
        places,
        account,
        agentPackageDir: agent?.folder ?? null,
        usedPorts: await this.#usedPorts(),
      },
    );
    return await this.#fromRecord(spec, record);
  }

  /** Of all that was recorded: what has ended keeps its port from others a little longer than it must. */
  async #usedPorts(): Promise<ReadonlySet<number>> {
    return new Set((await this.#records()).map(({ record }) => record.port));
  }

  async #records(): Promise<readonly Recorded[]> {
    const ids = await this.#workspaceIds();
    const ofEach = await Promise.all(ids.map((id) => this.#recordsOf(id)));
    return ofEach.flat();
  }

  async #recordsOf(workspaceId: string): Promise<readonly Recorded[]> {
    const places = this.#places(workspaceId);
    const attempts = await recordedAttempts(places);
    const records = await Promise.all(attempts.map((attemptNo) => readRecord(places, attemptNo)));
    return records.flatMap((record) =>
      record === null ? [] : [{ key: { workspaceId, attemptNo: record.attemptNo }, record }],
    );
  }

  async #fromRecord(key: InstanceKey, record: InstanceRecord): Promise<Instance> {
    const startTime = record.pid === null ? null : await this.#table.startTimeOf(record.pid);
    const isRunning = startTime !== null && startTime === record.startTime;
    if (isRunning) return this.#view(key, record, true);
    // Whoever saw it end writes the record once more; a moment later it may say how.
    const latest = (await readRecord(this.#places(key.workspaceId), key.attemptNo)) ?? record;
    return this.#view(key, latest, false);
  }

  /** A worker was killed between the start and the record: the process is found by its marker. */
  async #adopt(key: InstanceKey, record: InstanceRecord): Promise<Instance | null> {
    const main = await this.#mainOf(key);
    if (main === null) return null;
    const adopted = { ...record, pid: main.pid, startTime: main.startTime };
    await writeRecord(this.#places(key.workspaceId), adopted);
    return this.#view(key, adopted, true);
  }

  async #unrecorded(key: InstanceKey): Promise<Instance | null> {
    const main = await this.#mainOf(key);
    return main === null ? null : await this.#viewStray(key, main);
  }

  /** The process that leads its group; everything else of an instance is below it. */
  async #mainOf(key: InstanceKey): Promise<RunningProcess | null> {
    const ofKey = (await this.#table.list()).filter((one) => {
      const marked = parseMarker(this.#options.platformId, one.marker);
      return marked?.workspaceId === key.workspaceId && marked.attemptNo === key.attemptNo;
    });
    const pids = new Set(ofKey.map((one) => one.pid));
    return (
      ofKey.find((one) => one.pgid === one.pid && !pids.has(one.ppid)) ??
      ofKey.find((one) => !pids.has(one.ppid)) ??
      null
    );
  }

  #view(key: InstanceKey, record: InstanceRecord, isRunning: boolean): Instance {
    const { workspaceId, attemptNo } = key;
    return {
      workspaceId,
      attemptNo,
      providerId: `${record.pid}:${record.startTime}:${this.#bootId}`,
      state: isRunning ? "running" : "exited",
      address: isRunning ? `127.0.0.1:${record.port}` : null,
      exit: isRunning ? null : (record.exit ?? "for a reason that nobody saw"),
    };
  }

  /**
   * Something carries our marker and no record tells of it: it is there to be removed. When the folder
   * of its workspace was deleted under it, it has ended as far as anybody can use it.
   */
  async #viewStray(key: InstanceKey, one: RunningProcess): Promise<Instance> {
    const hasFolder = await isFolder(this.#places(key.workspaceId).folder);
    return {
      ...key,
      providerId: `${one.pid}:${one.startTime}:${this.#bootId}`,
      state: hasFolder ? "running" : "exited",
      address: null,
      exit: hasFolder ? null : "its folder was deleted",
    };
  }
}

async function isFolder(folder: string): Promise<boolean> {
  const found = await stat(folder).catch((error: unknown) => {
    if (isCode(error, "ENOENT")) return null;
    throw error;
  });
  return found !== null;
}
