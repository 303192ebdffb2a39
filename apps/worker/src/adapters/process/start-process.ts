import { type ChildProcess, spawn } from "node:child_process";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { InstanceSpec } from "../../provisioning/compute-backend.ts";
import { type Account, isCode } from "./accounts.ts";
import { markerOf } from "./instance-marker.ts";
import { openLog } from "./log-files.ts";
import type { Places } from "./places.ts";
import { findFreePort } from "./ports.ts";
import { processFailure } from "./process-failures.ts";
import { MARKER, type ProcessTable } from "./process-table.ts";
import { completeRecord, type InstanceRecord, readRecord, writeRecord } from "./records.ts";

/** What starting a process needs to know of this platform. */
export interface StartOptions {
  readonly platformId: string;
  readonly platformPort: number;
  readonly nodePath: string;
  readonly runtimeBundle: string;
  /** What instances inherit from the machine. */
  readonly inherited: Readonly<Record<string, string>>;
  readonly table: ProcessTable;
}

/** One start. */
export interface StartRequest {
  readonly spec: InstanceSpec;
  readonly places: Places;
  readonly account: Account | null;
  /** Folder of the installed agent package; null for a runtime that needs none. */
  readonly agentPackageDir: string | null;
  /** Ports that other instances of this platform use. */
  readonly usedPorts: ReadonlySet<number>;
}

/** How long another worker that starts the same attempt is waited for. */
const OTHER_STARTER_MS = 5_000;
/** How long a process of a starter that was killed may take to show its marker; it has none before it runs. */
const UNSEEN_START_MS = 2_000;

/**
 * Starts the runtime in a session of its own, so that it outlives this worker, and records it. The
 * record with the port is written before the start: a worker that takes over finds the process by its
 * marker and the port in the record. Only one worker starts an attempt.
 */
export async function startProcess(
  options: StartOptions,
  request: StartRequest,
): Promise<InstanceRecord> {
  const lock = path.join(request.places.run, `attempt-${request.spec.attemptNo}.lock`);
  await takeLock(options.table, lock);
  try {
    const earlier = await readRecord(request.places, request.spec.attemptNo);
    if (earlier?.pid !== undefined && earlier.pid !== null) return earlier;
    // Its starter was killed before it could record it, after this worker had looked: it is adopted next.
    if (await isStarted(options, request, earlier)) throw startedMeanwhile();
    // Slept through its time, another worker has taken the lock for a dead one's.
    if (!(await isMine(options.table, lock))) throw startedMeanwhile();
    return await startLocked(options, request);
  } finally {
    await rm(lock, { force: true });
  }
}

/**
 * Whether a process of this attempt runs already. A record without a process tells of a starter that was
 * killed on the way; what it may have started shows its marker a moment later.
 */
async function isStarted(
  { table, platformId }: StartOptions,
  { spec }: StartRequest,
  earlier: InstanceRecord | null,
): Promise<boolean> {
  const marker = markerOf(platformId, spec);
  const deadline = performance.now() + (earlier === null ? 0 : UNSEEN_START_MS);
  for (;;) {
    if ((await table.list()).some((one) => one.marker === marker)) return true;
    if (performance.now() >= deadline) return false;
    await delay(100);
  }
}

async function startLocked(options: StartOptions, request: StartRequest): Promise<InstanceRecord> {
  const { spec, places } = request;
  const port = await findFreePort(request.usedPorts);
  const planned = { attemptNo: spec.attemptNo, port, pid: null, startTime: null, exit: null };
  await writeRecord(places, planned);
  const child = await spawnRuntime(options, request, port);
  const pid = child.pid ?? 0;
  const startTime = await options.table.startTimeOf(pid);
  const record: InstanceRecord = { ...planned, pid, startTime: startTime ?? "ended" };
  const ended = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => {
      resolve(signal === null ? `exit code ${code ?? 0}` : `signal ${signal}`);
    });
  });
  await writeRecord(places, record);
  // Floating on purpose: the instance may outlive this process, and a lost exit code is only less to tell.
  ended.then((exit) => noteExit(places, record, exit)).catch(() => undefined);
  return record;
}

/** A record that is gone means that the instance was removed, which must not bring it back. */
async function noteExit(places: Places, record: InstanceRecord, exit: string): Promise<void> {
  const present = await readRecord(places, record.attemptNo);
  if (present?.pid === record.pid) await completeRecord(places, { ...record, exit });
}

async function spawnRuntime(
  options: StartOptions,
  request: StartRequest,
  port: number,
): Promise<ChildProcess> {
  const log = await openLog(request.places, request.spec.attemptNo);
  try {
    const child = spawn(options.nodePath, [options.runtimeBundle], {
      cwd: request.places.workspace,
      env: environmentOf(options, request, port),
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      ...(request.account ?? {}),
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.unref();
    return child;
  } finally {
    await log.close();
  }
}

/** What the instance sees: the machine's, then its own, then what this platform decides and nobody else. */
function environmentOf(
  options: StartOptions,
  { spec, places, agentPackageDir }: StartRequest,
  port: number,
): Record<string, string> {
  const platformUrl = `http://127.0.0.1:${options.platformPort}`;
  return {
    ...options.inherited,
    ...spec.env,
    WORKSPACE_ID: spec.workspaceId,
    WORKSPACE_NAME: spec.name,
    WORKSPACE_CONFIG_PATH: places.configs,
    WORKSPACE_DIR_PATH: places.workspace,
    HOME: places.home,
    PLUGINS_DIR: places.plugins,
    DELEGATION_RESULTS_FILE: path.join(places.home, ".molecule", "delegation-results.jsonl"),
    PLATFORM_URL: platformUrl,
    MOLECULE_URL: platformUrl,
    HOST_BIND: "127.0.0.1",
    PORT: String(port),
    TIER: String(spec.tier),
    MOLECULE_ATTEMPT: String(spec.attemptNo),
    [MARKER]: markerOf(options.platformId, spec),
    ...(agentPackageDir === null ? {} : { AGENT_PACKAGE_DIR: agentPackageDir }),
  };
}

/**
 * One starter per attempt; the lock of a process that has ended is taken over. It appears with its
 * content in one step, so that an empty one is never somebody's.
 */
async function takeLock(table: ProcessTable, file: string): Promise<void> {
  const mine = await ownName(table);
  const written = `${file}.${process.pid}`;
  const deadline = performance.now() + OTHER_STARTER_MS;
  await writeFile(written, mine, { mode: 0o600 });
  try {
    for (;;) {
      try {
        await link(written, file);
        return;
      } catch (error) {
        if (!isCode(error, "EEXIST")) throw error;
      }
      if (!(await isHeld(table, file, mine))) await rm(file, { force: true });
      else if (performance.now() > deadline) {
        throw startedMeanwhile();
      } else await delay(50);
    }
  } finally {
    await rm(written, { force: true });
  }
}

async function ownName(table: ProcessTable): Promise<string> {
  return `${process.pid} ${(await table.startTimeOf(process.pid)) ?? ""}`;
}

async function isMine(table: ProcessTable, file: string): Promise<boolean> {
  return (await readFile(file, "utf8").catch(() => "")) === (await ownName(table));
}

function startedMeanwhile() {
  return processFailure("create_failed", "Another worker is starting this agent.", {
    next: "The platform tries again by itself.",
    isRetryable: true,
  });
}

async function isHeld(table: ProcessTable, file: string, mine: string): Promise<boolean> {
  const holder = await readFile(file, "utf8").catch(() => "");
  // A worker starts an attempt once at a time, so its own lock is one that a throw left behind.
  if (holder === mine) return false;
  const [pid = "", startTime = ""] = holder.split(" ");
  return (await table.startTimeOf(Number(pid))) === startTime;
}
