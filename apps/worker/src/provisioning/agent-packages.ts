import { spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { BackendError } from "./compute-backend.ts";
import { steadily, unlessAborted } from "./long-step.ts";

/** A coding agent's installed package. */
export interface InstalledAgent {
  /** Holds `node_modules`. */
  readonly folder: string;
  /** Changes when the package does: a digest of its lock file. */
  readonly digest: string;
}

/** How a long installation reports and is given up. */
export interface InstallProgress {
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Where agent packages come from and go to. */
export interface AgentPackagesOptions {
  /** One folder per runtime with the `package.json` and lock file of its agent. */
  readonly sourceFolder: string;
  /** Where installed packages are kept. */
  readonly installFolder: string;
  /** What npm inherits from the machine: its path, its own configuration, the way out. */
  readonly inherited: Readonly<Record<string, string>>;
}

/** Installs agents' packages on demand. */
export interface AgentPackages {
  /**
   * The runtime's agent is installed afterwards; null for a runtime that needs none. Calls for one
   * runtime share one installation, which ends early only when all of them have given up; an existing
   * one of the same lock file is used as it is.
   * @throws BackendError `agent_not_installed`.
   */
  ensure(runtime: string, progress: InstallProgress): Promise<InstalledAgent | null>;
  /** The installed agent without installing it; null when there is none or none is needed. */
  find(runtime: string): Promise<InstalledAgent | null>;
}

/** Runtimes that are part of the bundle. */
const BUILT_IN: ReadonlySet<string> = new Set(["demo"]);

/** One installation and everybody who waits for it. */
interface Flight {
  readonly result: Promise<InstalledAgent>;
  readonly waiting: Set<(line: string) => void>;
  readonly giveUp: AbortController;
}

/** State: one flight per running installation; it ends when nobody waits for it any more. */
export function createAgentPackages(options: AgentPackagesOptions): AgentPackages {
  const flights = new Map<string, Flight>();

  function start(runtime: string, wanted: Plan): Flight {
    const waiting = new Set<(line: string) => void>();
    const giveUp = new AbortController();
    const steady = steadily((line) => {
      for (const tell of waiting) tell(line);
    });
    const progress = { onProgress: steady.onProgress, signal: giveUp.signal };
    const result = install(options, runtime, wanted, progress).finally(() => {
      steady.stop();
      if (flights.get(runtime)?.result === result) flights.delete(runtime);
    });
    const flight = { result, waiting, giveUp };
    flights.set(runtime, flight);
    return flight;
  }

  return {
    find: async (runtime) => {
      if (BUILT_IN.has(runtime)) return null;
      const wanted = await planFor(options, runtime).catch(() => null);
      return wanted !== null && (await isInstalled(wanted)) ? wanted : null;
    },
    ensure: async (runtime, { onProgress, signal }) => {
      if (BUILT_IN.has(runtime)) return null;
      const wanted = await planFor(options, runtime).catch((error: unknown) => {
        throw notInstalled(runtime, error);
      });
      if (await isInstalled(wanted)) return wanted;
      signal.throwIfAborted();
      const flight = flights.get(runtime) ?? start(runtime, wanted);
      // A listener of its own for every call: two calls may pass the same function.
      const tell = (line: string) => onProgress(line);
      flight.waiting.add(tell);
      try {
        return await unlessAborted(flight.result, signal);
      } finally {
        flight.waiting.delete(tell);
        if (flight.waiting.size === 0) {
          flight.giveUp.abort();
          // Whoever comes now starts anew instead of sharing the end of this one.
          if (flights.get(runtime) === flight) flights.delete(runtime);
        }
      }
    },
  };
}

interface Plan extends InstalledAgent {
  readonly source: string;
}

async function planFor(options: AgentPackagesOptions, runtime: string): Promise<Plan> {
  const source = path.join(options.sourceFolder, runtime);
  const lock = await readFile(path.join(source, "package-lock.json"));
  const digest = createHash("sha256").update(lock).digest("hex").slice(0, 12);
  return { source, digest, folder: path.join(options.installFolder, runtime, digest) };
}

/** The folder gets its name only when everything in it is complete. */
async function isInstalled(plan: InstalledAgent): Promise<boolean> {
  return await stat(path.join(plan.folder, "node_modules")).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function install(
  options: AgentPackagesOptions,
  runtime: string,
  plan: Plan,
  progress: InstallProgress,
): Promise<InstalledAgent> {
  const half = `${plan.folder}.half-${process.pid}-${randomUUID().slice(0, 8)}`;
  try {
    progress.onProgress(`Installing the agent ${runtime}; this is done once`);
    await removeAbandoned(path.dirname(plan.folder));
    await mkdir(half, { recursive: true });
    for (const folder of [options.installFolder, path.dirname(plan.folder), half]) {
      await chmod(folder, 0o755);
    }
    for (const name of ["package.json", "package-lock.json"]) {
      await copyFile(path.join(plan.source, name), path.join(half, name));
    }
    await runNpm(options, half, progress);
    await rename(half, plan.folder).catch(async (error: unknown) => {
      // Another worker was faster, with the same lock file.
      if (!(await isInstalled(plan))) throw error;
    });
    progress.onProgress(`The agent ${runtime} is installed`);
    return { folder: plan.folder, digest: plan.digest };
  } catch (error) {
    throw notInstalled(runtime, error);
  } finally {
    await rm(half, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Half-made folders of workers that were killed; each holds hundreds of megabytes. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = Number(/\.half-(\d+)-/.exec(name)?.[1]);
    if (!Number.isInteger(pid) || isAlive(pid)) continue;
    await rm(path.join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

const MAX_NPM_MS = 600_000;
const NPM_ARGS = [
  "ci",
  "--omit=dev",
  // An agent's package runs nothing on the platform's account while it is installed.
  "--ignore-scripts",
  "--no-audit",
  "--no-fund",
  "--loglevel=http",
];

async function runNpm(
  options: AgentPackagesOptions,
  folder: string,
  progress: InstallProgress,
): Promise<void> {
  const child = spawn("npm", NPM_ARGS, {
    cwd: folder,
    env: { ...options.inherited },
    stdio: ["ignore", "pipe", "pipe"],
    signal: AbortSignal.any([progress.signal, AbortSignal.timeout(MAX_NPM_MS)]),
  });
  let fetched = 0;
  const last: string[] = [];
  const read = async (stream: NodeJS.ReadableStream) => {
    for await (const line of createInterface({ input: stream })) {
      last.push(line);
      if (last.length > 20) last.shift();
      if (!line.includes("http fetch")) continue;
      fetched += 1;
      progress.onProgress(`Installing the agent: ${fetched} packages fetched`);
    }
  };
  const code = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const [exit] = await Promise.all([code, read(child.stdout), read(child.stderr)]);
  if (exit !== 0) throw new Error(`npm ci ended with ${exit}: ${last.join(" | ").slice(0, 2_000)}`);
}

function notInstalled(runtime: string, cause: unknown): BackendError {
  return new BackendError(
    {
      code: "agent_not_installed",
      sentence: `The package of the agent ${runtime} could not be installed on this machine.`,
      next: "Check that npm reaches its registry and that the disk has room; then retry.",
    },
    { isRetryable: false, cause },
  );
}
