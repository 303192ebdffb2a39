import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { access, chmod, cp, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const INSTALL_WITHIN_MS = 300_000;

/**
 * A folder outside the repository with the agent package of `lockFolder` installed, exactly as its lock
 * file says and without install scripts. Kept between runs, by the lock's hash. Undefined when npm
 * could not install it, which usually means that its registry cannot be reached.
 */
export async function installedAgentPackage(lockFolder: string): Promise<string | undefined> {
  const lock = await readFile(path.join(lockFolder, "package-lock.json"));
  const hash = createHash("sha256").update(lock).digest("hex").slice(0, 12);
  const folder = path.join(
    tmpdir(),
    "molecule-test-agents",
    `${path.basename(lockFolder)}-${hash}`,
  );
  const isThere = await access(folder).then(
    () => true,
    () => false,
  );
  if (isThere) return folder;
  await mkdir(path.dirname(folder), { recursive: true });
  const fresh = await mkdtemp(`${folder}.${randomUUID().slice(0, 8)}`);
  try {
    for (const file of ["package.json", "package-lock.json"]) {
      await cp(path.join(lockFolder, file), path.join(fresh, file));
    }
    const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    await run("npm", args, { cwd: fresh, timeout: INSTALL_WITHIN_MS });
    // Agents under other users read it too.
    await chmod(fresh, 0o755);
    await rename(fresh, folder);
    return folder;
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another run finished the same installation first.
    if (error instanceof Error && "code" in error && error.code === "ENOTEMPTY") return folder;
    process.stderr.write(`${path.basename(lockFolder)} could not be installed: ${String(error)}\n`);
    return undefined;
  }
}
