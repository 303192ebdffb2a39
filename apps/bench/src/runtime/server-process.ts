import { readdir, readFile } from "node:fs/promises";

/** Clock ticks of `/proc/<pid>/stat` per second; Linux shows 100 to programs whatever the kernel has. */
const TICKS = 100;

/** The server of a started product, as the kernel sees it. Linux only. */
export async function serverPid(launcherPid: number): Promise<number> {
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const [stat, command] = await Promise.all([
      readFile(`/proc/${name}/stat`, "utf8").catch(() => ""),
      readFile(`/proc/${name}/cmdline`, "utf8").catch(() => ""),
    ]);
    if (fieldsOf(stat)[1] === String(launcherPid) && command.includes("apps/server/dist/main")) {
      return Number(name);
    }
  }
  throw new Error(`no server under ${launcherPid}`);
}

/** Seconds of processor time the process has used so far, all its threads. */
export async function cpuSeconds(pid: number): Promise<number> {
  const fields = fieldsOf(await readFile(`/proc/${pid}/stat`, "utf8"));
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Fields after the name, which may hold spaces: state, parent, … utime is 11 and stime 12 of these. */
function fieldsOf(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
