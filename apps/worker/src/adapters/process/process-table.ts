import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";

/** A running process. One that has ended and only waits to be reaped is not running. */
export interface RunningProcess {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  /** Tells two processes with the same number apart; opaque. */
  readonly startTime: string;
  /** Owner; -1 when not known. */
  readonly uid: number;
  /** Value of MOLECULE_INSTANCE in its environment; null when absent or not readable. */
  readonly marker: string | null;
}

/** What runs on this machine. */
export interface ProcessTable {
  /** Every process, with the markers of those we may read. */
  list(): Promise<readonly RunningProcess[]>;
  /** When the process began; null when none of this number runs. */
  startTimeOf(pid: number): Promise<string | null>;
}

/** Name of the variable that marks everything an instance runs. */
export const MARKER = "MOLECULE_INSTANCE";

/** The table of this machine: `/proc` where there is one, `ps` elsewhere. */
export async function openProcessTable(): Promise<ProcessTable> {
  const hasProc = await stat("/proc/self/environ").then(
    () => true,
    () => false,
  );
  return hasProc ? new ProcTable() : psTable;
}

interface ProcStat {
  readonly state: string;
  readonly ppid: number;
  readonly pgid: number;
  readonly startTime: string;
}

/**
 * Reads `/proc/<pid>/stat`; the name in it may hold spaces and brackets. The kernel answers without
 * waiting for anything, so a thread of the pool for each of hundreds would be most of the cost. Source:
 * proc(5).
 */
function readStat(pid: number): ProcStat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [state = "", ppid = "", pgid = ""] = fields;
    return { state, ppid: Number(ppid), pgid: Number(pgid), startTime: fields[19] ?? "" };
  } catch {
    // The process ended in between.
    return null;
  }
}

const KERNEL_PARENT = 2;

class ProcTable implements ProcessTable {
  /** Owner and marker of what carried one when it was last looked at, by number and start time. */
  #marked = new Map<string, Pick<RunningProcess, "uid" | "marker">>();

  async list(): Promise<readonly RunningProcess[]> {
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
    const rows = (await Promise.all(pids.map((pid) => this.#read(pid)))).filter(
      (row) => row !== null,
    );
    this.#marked = new Map(
      rows.flatMap((row) => (row.marker === null ? [] : [[`${row.pid}:${row.startTime}`, row]])),
    );
    return rows;
  }

  async startTimeOf(pid: number): Promise<string | null> {
    const found = readStat(pid);
    return found === null || isDead(found.state) ? null : found.startTime;
  }

  async #read(pid: number): Promise<RunningProcess | null> {
    const found = readStat(pid);
    if (found === null || isDead(found.state) || found.ppid === KERNEL_PARENT) return null;
    const { ppid, pgid, startTime } = found;
    // What was an instance's stays its, also when it has another environment by now. What was not may
    // be on its way to become one, and is read again.
    const known = this.#marked.get(`${pid}:${startTime}`);
    if (known !== undefined) return { ...known, pid, ppid, pgid, startTime };
    const [uid, marker] = await Promise.all([
      stat(`/proc/${pid}`).then(
        (folder) => folder.uid,
        () => -1,
      ),
      readMarker(pid),
    ]);
    return { pid, ppid, pgid, startTime, uid, marker };
  }
}

function isDead(state: string): boolean {
  return state === "Z" || state === "X" || state === "x";
}

async function readMarker(pid: number): Promise<string | null> {
  try {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8");
    return markerIn(environment.split("\0"));
  } catch {
    // Not ours to read, or gone.
    return null;
  }
}

function markerIn(entries: readonly string[]): string | null {
  const entry = entries.find((text) => text.startsWith(`${MARKER}=`));
  return entry === undefined ? null : entry.slice(MARKER.length + 1);
}

const run = promisify(execFile);

/** macOS and others: `ps` shows the environment of our own processes after the command. */
const psTable: ProcessTable = {
  list: async () => {
    const columns = "pid=,ppid=,pgid=,uid=,stat=,lstart=,command=";
    const { stdout } = await run("ps", ["-A", "-E", "-ww", "-o", columns], {
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout.split("\n").flatMap((line) => {
      const row = parsePsLine(line);
      return row === null ? [] : [row];
    });
  },
  startTimeOf: async (pid) => {
    try {
      const { stdout } = await run("ps", ["-o", "stat=,lstart=", "-p", String(pid)]);
      const [, state = "", startTime = ""] = /^\s*(\S+)\s+(.+?)\s*$/.exec(stdout) ?? [];
      return startTime === "" || isDead(state.slice(0, 1)) ? null : startTime;
    } catch {
      // `ps` fails when there is no such process.
      return null;
    }
  },
};

/** One line of the listing above; null for a dead process or a line that is none. */
export function parsePsLine(line: string): RunningProcess | null {
  const match =
    /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\d{4})\s+(.*)$/.exec(
      line,
    );
  if (match === null) return null;
  const [, pid = "", ppid = "", pgid = "", uid = "", state = "", startTime = "", command = ""] =
    match;
  if (isDead(state.slice(0, 1))) return null;
  return {
    pid: Number(pid),
    ppid: Number(ppid),
    pgid: Number(pgid),
    startTime,
    uid: Number(uid),
    marker: markerIn(command.split(" ")),
  };
}
