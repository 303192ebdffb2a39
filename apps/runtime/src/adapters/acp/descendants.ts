import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** A process that cannot be confused with a later one of the same number. */
export interface ProcessMark {
  readonly pid: number;
  /** Clock ticks since boot; the same number with another start is another process. */
  readonly startedAt: string;
}

interface ProcessRow extends ProcessMark {
  readonly parentPid: number;
  readonly isZombie: boolean;
}

/**
 * Every living descendant of `rootPid`, and every other process that carries `marker` in its
 * environment (one that was handed to init). The root and this process are not among them. Empty
 * where there is no `/proc`.
 */
export async function descendantsOf(rootPid: number, marker?: string): Promise<ProcessMark[]> {
  const rows = await allProcesses();
  const children = new Map<number, ProcessRow[]>();
  for (const row of rows) {
    children.set(row.parentPid, [...(children.get(row.parentPid) ?? []), row]);
  }
  const found = new Map<number, ProcessMark>();
  const visit = (pid: number) => {
    for (const child of children.get(pid) ?? []) {
      if (found.has(child.pid)) continue;
      if (!child.isZombie) found.set(child.pid, child);
      visit(child.pid);
    }
  };
  visit(rootPid);
  if (marker !== undefined) {
    for (const row of rows) {
      if (row.pid === rootPid || row.pid === process.pid || row.isZombie || found.has(row.pid))
        continue;
      if (await hasMarker(row.pid, marker)) found.set(row.pid, row);
    }
  }
  return [...found.values()];
}

/** Whether this very process still runs. */
export async function isAlive(mark: ProcessMark): Promise<boolean> {
  const row = await readProcess(mark.pid);
  return row !== undefined && !row.isZombie && row.startedAt === mark.startedAt;
}

/** None of `marks` runs afterwards, or `withinMs` has passed; answers those that still do. */
export async function killAll(
  marks: readonly ProcessMark[],
  withinMs: number,
): Promise<readonly ProcessMark[]> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const alive: ProcessMark[] = [];
    for (const mark of marks) if (await isAlive(mark)) alive.push(mark);
    if (alive.length === 0 || performance.now() > deadline) return alive;
    for (const { pid } of alive) sendSignal(pid, "SIGKILL");
    await delay(20);
  }
}

/** Sends a signal; a process that is gone is fine. A negative pid means its group. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}

async function allProcesses(): Promise<ProcessRow[]> {
  const names = await readdir("/proc").catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const rows = await Promise.all(pids.map(readProcess));
  return rows.flatMap((row) => row ?? []);
}

/** Source: proc_pid_stat(5); the name in parentheses may contain anything. */
async function readProcess(pid: number): Promise<ProcessRow | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, parentPid] = fields;
  return {
    pid,
    parentPid: Number(parentPid),
    isZombie: state === "Z" || state === "X",
    startedAt: fields[19] ?? "",
  };
}

async function hasMarker(pid: number, marker: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
  return environment.split("\0").includes(marker);
}
