import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { BackendError } from "./compute-backend.ts";

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
  /** What npm inherits from the machine. */
  readonly inherited: Readonly<Record<string, string>>;
}

/** Installs agents' packages on demand. */
export interface AgentPackages {
  /**
   * The runtime's agent is installed afterwards; null for a runtime that needs none. Calls for one
   * runtime share one installation; an existing one of the same lock file is used as it is.
   * @throws BackendError `agent_not_installed`.
   */
  ensure(runtime: string, progress: InstallProgress): Promise<InstalledAgent | null>;
  /** The installed agent without installing it; null when there is none or none is needed. */
  find(runtime: string): Promise<InstalledAgent | null>;
}

/** Runtimes that are part of the bundle. */
const BUILT_IN: ReadonlySet<string> = new Set(["demo"]);

/** State: one promise per running installation. */
export function createAgentPackages(options: AgentPackagesOptions): AgentPackages {
  const running = new Map<string, Promise<InstalledAgent>>();
  return {
    find: async (runtime) => {
      if (BUILT_IN.has(runtime)) return null;
      const wanted = await planFor(options, runtime).catch(() => null);
      return wanted !== null && (await isInstalled(wanted)) ? wanted : null;
    },
    ensure: async (runtime, progress) => {
      if (BUILT_IN.has(runtime)) return null;
      const wanted = await planFor(options, runtime).catch((error: unknown) => {
        throw notInstalled(runtime, error);
      });
      if (await isInstalled(wanted)) return wanted;
      const install = running.get(runtime) ?? begin(options, runtime, wanted, progress);
      running.set(runtime, install);
      try {
        return await install;
      } finally {
        running.delete(runtime);
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

async function begin(
  options: AgentPackagesOptions,
  runtime: string,
  plan: Plan,
  progress: InstallProgress,
): Promise<InstalledAgent> {
  const half = `${plan.folder}.half-${process.pid}`;
  try {
    progress.onProgress(`Installing the agent ${runtime}; this is done once`);
    await rm(half, { recursive: true, force: true });
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

const MAX_NPM_MS = 600_000;

async function runNpm(
  options: AgentPackagesOptions,
  folder: string,
  progress: InstallProgress,
): Promise<void> {
  const args = ["ci", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=http"];
  const child = spawn("npm", args, {
    cwd: folder,
    env: {
      ...options.inherited,
      npm_config_cache: path.join(options.installFolder, ".npm"),
      HOME: folder,
    },
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
