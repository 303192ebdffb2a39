import { execFile, spawnSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** True when a Docker engine answers on this machine. */
export function hasEngine(): boolean {
  return spawnSync("docker", ["version"], { stdio: "ignore" }).status === 0;
}

/** One agent that runs, seen from outside the platform. */
export interface RunningAgent {
  readonly workspaceId: string;
  readonly attemptNo: number;
  /** Of a process of this machine; absent for a container. */
  readonly pid?: number;
  /** What it was started with. */
  readonly env: Readonly<Record<string, string>>;
  /** A file of its `/configs` as it is there now; null when it is not there. */
  readConfig(file: string): Promise<string | null>;
}

/** Every agent of a platform: its processes by their marker, its containers by their label. */
export async function listAgents(
  backend: "process" | "docker",
  platformId: string,
  home: string,
): Promise<RunningAgent[]> {
  return backend === "process"
    ? await listProcesses(platformId, home)
    : await listContainers(platformId);
}

async function listProcesses(platformId: string, home: string): Promise<RunningAgent[]> {
  const found: RunningAgent[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const env = parseEnv(
      (await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "")).split("\0"),
    );
    const key = keyOf(env, platformId);
    if (key === null) continue;
    const configs = path.join(home, "workspaces", key.workspaceId, "configs");
    found.push({
      ...key,
      pid: Number(pid),
      env,
      readConfig: (file) => readFile(path.join(configs, file), "utf8").catch(() => null),
    });
  }
  return found;
}

async function listContainers(platformId: string): Promise<RunningAgent[]> {
  const { stdout } = await run("docker", [
    ...["ps", "--all", "--quiet", "--no-trunc"],
    ...["--filter", `label=molecule.platform=${platformId}`],
  ]);
  const ids = stdout.split("\n").filter((id) => id !== "");
  if (ids.length === 0) return [];
  const all = await inspectAll(ids);
  // The others are the platform's short-lived helpers.
  const containers = all.filter(({ Config }) => "molecule.attempt" in Config.Labels);
  return containers.map(({ Id, Config }) => ({
    workspaceId: Config.Labels["molecule.workspace"] ?? "",
    attemptNo: Number(Config.Labels["molecule.attempt"]),
    env: parseEnv(Config.Env ?? []),
    readConfig: (file) => readInContainer(Id, `/configs/${file}`),
  }));
}

/** Through the engine: an image need not have any program for it. Null when it is not there. */
async function readInContainer(id: string, file: string): Promise<string | null> {
  const script = 'set -o pipefail; docker cp --follow-link "$0:$1" - | tar --extract --to-stdout';
  return await run("bash", ["-c", script, id, file], { maxBuffer: 64 * 2 ** 20 }).then(
    ({ stdout }) => stdout,
    () => null,
  );
}

interface InspectedContainer {
  readonly Id: string;
  readonly Config: { readonly Env: string[] | null; readonly Labels: Record<string, string> };
}

/** Of those that are still there: one that was removed since it was listed is left out. */
async function inspectAll(ids: readonly string[]): Promise<readonly InspectedContainer[]> {
  const all = await Promise.all(
    ids.map((id) =>
      run("docker", ["container", "inspect", id], { maxBuffer: 64 * 2 ** 20 }).then(
        ({ stdout }) => JSON.parse(stdout) as InspectedContainer[],
        (error: { stderr?: string }) => {
          if (/no such container/i.test(error.stderr ?? "")) return [];
          throw error;
        },
      ),
    ),
  );
  return all.flat();
}

function parseEnv(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.flatMap((line) => {
      const at = line.indexOf("=");
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
    }),
  );
}

function keyOf(env: Readonly<Record<string, string>>, platformId: string) {
  const [platform, workspaceId, attempt] = (env.MOLECULE_INSTANCE ?? "").split("/");
  if (platform !== platformId || workspaceId === undefined) return null;
  return { workspaceId, attemptNo: Number(attempt) };
}
