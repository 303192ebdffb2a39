import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** So many secrets that are found wherever they turn up, by name. */
export function canaries(prefix: string, count: number): Record<string, string> {
  const names = Array.from({ length: count }, (_, n) => `${prefix}_${n}`);
  return Object.fromEntries(
    names.map((name) => [name, `sk-canary-${randomBytes(9).toString("hex")}`]),
  );
}

/** Files below `folder`, of any kind, that hold one of `values`. Links are not followed. */
export async function filesWith(folder: string, values: readonly string[]): Promise<string[]> {
  const own = await mkdtemp(path.join(tmpdir(), "values-"));
  try {
    const patterns = path.join(own, "patterns");
    await writeFile(patterns, values.join("\n"));
    const found = await run("grep", ["-rlaF", "-f", patterns, folder], {
      maxBuffer: 10_000_000,
    }).catch((error: { code?: unknown; stdout?: string }) => {
      // 1: nothing was found; 2: a file went away meanwhile, and the others were looked through.
      if (error.code === 1 || error.code === 2) return { stdout: error.stdout ?? "" };
      throw error;
    });
    return found.stdout.split("\n").filter((line) => line !== "");
  } finally {
    await rm(own, { recursive: true });
  }
}

/** Where processes of this machine show one of `values`: every command line, and whose environment. */
export async function processesWith(values: readonly string[]) {
  const commandLines: string[] = [];
  const environments: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const read = (name: string) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
    const [line, env] = await Promise.all([read("cmdline"), read("environ")]);
    if (values.some((value) => line.includes(value))) commandLines.push(line);
    if (!values.some((value) => env.includes(value))) continue;
    environments.push(/(?:^|\0)WORKSPACE_ID=([^\0]*)/.exec(env)?.[1] ?? line.replaceAll("\0", " "));
  }
  return { commandLines, environments: [...new Set(environments)].sort() };
}
