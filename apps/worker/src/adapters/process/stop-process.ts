import { setTimeout as delay } from "node:timers/promises";
import type { InstanceKey } from "../../provisioning/compute-backend.ts";
import { type Account, isCode } from "./accounts.ts";
import { parseMarker } from "./instance-marker.ts";
import { processFailure } from "./process-failures.ts";
import type { ProcessTable, RunningProcess } from "./process-table.ts";
import type { InstanceRecord } from "./records.ts";

/** What is to end. */
export interface StopRequest {
  readonly platformId: string;
  readonly key: InstanceKey;
  readonly record: InstanceRecord | null;
  /** The workspace's own uid; null when it shares the platform's. */
  readonly account: Account | null;
  /** How long it may take to end after it was asked. */
  readonly graceMs: number;
  /** Whether a later attempt has been begun to start; its record is there before its process. */
  readonly hasLaterAttempt: () => Promise<boolean>;
}

/** After this long a killed process that still exists is a fault of the machine. */
const KILL_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 25;
/** While the main process ends by itself, only it is looked at; at the whole table once in so many looks. */
const LOOKS_PER_LISTING = 10;

/**
 * Asks the instance to end, waits, and then kills whatever is left of it: its process group, everything
 * that carries its marker, all descendants seen since, and, where the workspace has a uid of its own,
 * what shed the marker. Resolves when nothing of it runs.
 * @throws BackendError `stop_failed`, retryable, when something survives a kill.
 */
export async function stopProcess(table: ProcessTable, request: StopRequest): Promise<void> {
  const seen = new Map<string, RunningProcess>();
  const left = async () => await survivors(table, request, seen);
  let running = await left();
  if (running.length === 0) return;
  const main = running.find((one) => isMain(one, request.record)) ?? running[0];
  if (main !== undefined) send(main.pid, "SIGTERM");
  const askedUntil = performance.now() + request.graceMs;
  for (let look = 1; running.length > 0 && performance.now() < askedUntil; look += 1) {
    // Without its main process the rest only lingers, and nobody is left who would end it.
    if (main !== undefined && !running.some((one) => sameProcess(one, main))) break;
    await delay(LOOK_EVERY_MS);
    const isListing = main === undefined || look % LOOKS_PER_LISTING === 0;
    if (!isListing && (await table.startTimeOf(main.pid)) === main.startTime) continue;
    running = await left();
  }
  const killedUntil = performance.now() + KILL_WITHIN_MS;
  while (running.length > 0) {
    for (const one of running) send(one.pid, "SIGKILL");
    await delay(LOOK_EVERY_MS);
    running = await left();
    if (running.length > 0 && performance.now() > killedUntil) {
      throw processFailure("stop_failed", "A process of the agent does not end.", {
        next: "The platform keeps trying. The machine may be overloaded.",
        isRetryable: true,
      });
    }
  }
}

/**
 * Kills whatever is left of the instance without waiting for its end: a process that outlives a kill
 * never gets back to its own code.
 */
export async function killProcess(table: ProcessTable, request: StopRequest): Promise<void> {
  for (const one of await survivors(table, request, new Map())) send(one.pid, "SIGKILL");
}

function isMain(one: RunningProcess, record: InstanceRecord | null): boolean {
  return one.pid === record?.pid && one.startTime === record.startTime;
}

function sameProcess(a: RunningProcess, b: RunningProcess): boolean {
  return a.pid === b.pid && a.startTime === b.startTime;
}

const idOf = (one: RunningProcess) => `${one.pid}:${one.startTime}`;

/** What still runs of the instance; `seen` remembers descendants whose parent ends before them. */
async function survivors(
  table: ProcessTable,
  request: StopRequest,
  seen: Map<string, RunningProcess>,
): Promise<readonly RunningProcess[]> {
  const all = await table.list();
  const { key, record, account } = request;
  const ours = (one: RunningProcess) => {
    const marked = parseMarker(request.platformId, one.marker);
    if (marked !== null) {
      return marked.workspaceId === key.workspaceId && marked.attemptNo === key.attemptNo;
    }
    return isMain(one, record) || seen.has(idOf(one));
  };
  const hasOtherAttempt = all.some((one) => {
    const marked = parseMarker(request.platformId, one.marker);
    return marked?.workspaceId === key.workspaceId && marked.attemptNo !== key.attemptNo;
  });
  const found = new Map(all.filter(ours).map((one) => [one.pid, one]));
  // Asked after the listing: a process of a later attempt has no marker before it runs, and must not be
  // ended by a worker that is late.
  if (account !== null && !hasOtherAttempt && !(await request.hasLaterAttempt())) {
    for (const one of all) if (one.uid === account.uid) found.set(one.pid, one);
  }
  addDescendants(all, found, request.platformId);
  for (const one of found.values()) seen.set(idOf(one), one);
  return [...found.values()];
}

/** Children of what was found, theirs too; a process that carries another marker is never ours. */
function addDescendants(
  all: readonly RunningProcess[],
  found: Map<number, RunningProcess>,
  platformId: string,
): void {
  for (let isGrowing = true; isGrowing; ) {
    isGrowing = false;
    for (const one of all) {
      if (found.has(one.pid) || !found.has(one.ppid)) continue;
      if (parseMarker(platformId, one.marker) !== null) continue;
      found.set(one.pid, one);
      isGrowing = true;
    }
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isCode(error, "ESRCH")) throw error;
  }
}
