import { mkdir, readdir, readFile, symlink } from "node:fs/promises";
import path from "node:path";
import { installedAgentPackage } from "@molecule/testing/agent-package";
import { realPart } from "@molecule/testing/require-real";

const LOCK_FOLDER = path.resolve(import.meta.dirname, "../apps/runtime/agents/claude-code");

/**
 * Lets the platform at `home` find the real agent's package, which is installed once per machine and
 * linked. False, after a loud line, where it cannot be installed or the platform is somebody else's.
 */
export async function linkRealAgent(home: string | null): Promise<boolean> {
  const folder = home === null ? undefined : await installedAgentPackage(LOCK_FOLDER);
  const isHere = realPart(
    "The claude-code agent package",
    folder !== undefined,
    "let npm reach its registry, and let the journeys start the platform themselves",
  );
  if (!isHere || folder === undefined || home === null) return false;
  const runtimeFolder = path.join(home, "agents", "claude-code");
  await mkdir(runtimeFolder, { recursive: true, mode: 0o755 });
  const digest = path.basename(folder).replace("claude-code-", "");
  await symlink(folder, path.join(runtimeFolder, digest)).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  });
  return true;
}

/** Command lines of everything that runs for a workspace; zombies do not count. */
export async function processesOf(workspaceId: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => commandLineOf(pid, workspaceId)));
  return lines.filter((line) => line !== null);
}

async function commandLineOf(pid: string, workspaceId: string): Promise<string | null> {
  const read = (name: string) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
  const [environment, commandLine] = await Promise.all([read("environ"), read("cmdline")]);
  const isOurs = new RegExp(`MOLECULE_INSTANCE=[^\\0]*/${workspaceId}/`).test(environment);
  return isOurs && commandLine !== "" ? commandLine.replaceAll("\0", " ") : null;
}
