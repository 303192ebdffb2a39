import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";

/** Root of the checkout. */
export const ROOT = path.resolve(import.meta.dirname, "../../..");

/** Milliseconds for the same Postgres alone: init, start, first connection. */
export async function barePostgresMs(): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, [path.join(ROOT, "apps/launcher/src/test-postgres.mjs")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("{")) break;
  }
  const took = performance.now() - started;
  child.stdin.end();
  if (child.exitCode === null) await once(child, "exit");
  return took;
}

/** Resident memory of a process in MB, from the kernel; NaN where there is no /proc. */
export async function residentMb(pid: number): Promise<number> {
  try {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    return kilobytes === undefined ? Number.NaN : Number(kilobytes) / 1024;
  } catch {
    return Number.NaN;
  }
}

/** A Node process with an HTTP server and nothing else. */
export async function emptyNode(): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [
      "-e",
      "require('http').createServer(() => {}).listen(0, '127.0.0.1', () => console.log('up'))",
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  if (child.stdout !== null) await once(child.stdout, "data");
  return child;
}
