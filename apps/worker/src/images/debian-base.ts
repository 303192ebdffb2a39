import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { access, chmod, copyFile, mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { codenameOf, type DebianSource, findDebianSource } from "./debian-source.ts";
import type { ImageEngine, ImageProgress } from "./image-engine.ts";

/** What a base image without a registry is made of. */
export interface DebianBaseOptions {
  /** Folder for the half-made file system; removed afterwards. */
  readonly workFolder: string;
  /** The Node binary that becomes the image's. */
  readonly nodePath: string;
}

/** Whether this machine can make the base, and from what. */
export type DebianBasePlan =
  | { readonly kind: "possible"; readonly debootstrap: string; readonly source: DebianSource }
  | { readonly kind: "impossible"; readonly reason: string };

/** Grows when the recipe below changes, so that a cached base of an older recipe is not used. */
const RECIPE = 1;
const PACKAGES = ["ca-certificates", "git"] as const;
const DEADLINE_MS = 15 * 60_000;
/** Folders nobody reads in a container. */
const DROPPED = [
  "dev",
  "var/cache/apt",
  "var/lib/apt/lists",
  "var/log",
  "usr/share/doc",
  "usr/share/man",
  "usr/share/info",
  "usr/share/locale",
  "etc/resolv.conf",
  "etc/hostname",
];
/** One progress line in so many of the tool's: it prints one per package. */
const REPORT_EVERY = 15;

/** Says whether a base can be made here without a registry. Never throws. */
export async function planDebianBase(): Promise<DebianBasePlan> {
  const impossible = (reason: string) => ({ kind: "impossible", reason }) as const;
  if (process.getuid?.() !== 0) return impossible("only root can make a base image from packages");
  const debootstrap = await firstPresent(["/usr/sbin/debootstrap", "/usr/bin/debootstrap"]);
  if (debootstrap === null) return impossible("debootstrap is not installed");
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  const suite = codenameOf(release);
  if (suite === null) return impossible("this system is not a Debian release");
  const source = findDebianSource(suite, await readAptFiles());
  if (source === null) return impossible("apt has no package mirror configured");
  return { kind: "possible", debootstrap, source };
}

/** The name under which the base is kept: the same ingredients, the same name. */
export async function debianBaseDigest(suite: string, nodePath: string): Promise<string> {
  const node = await stat(nodePath);
  return createHash("sha256")
    .update(JSON.stringify([RECIPE, suite, PACKAGES, process.version, process.arch, node.size]))
    .digest("hex")
    .slice(0, 12);
}

/** The engine has the base under `reference`; nothing of the making is left on the disk. */
export async function makeDebianBase(
  engine: ImageEngine,
  target: { readonly reference: string; readonly plan: DebianBasePlan & { kind: "possible" } },
  options: DebianBaseOptions,
  progress: ImageProgress,
): Promise<void> {
  await removeAbandoned(options.workFolder);
  const rootfs = path.join(options.workFolder, `base-${process.pid}`);
  await mkdir(rootfs, { recursive: true, mode: 0o755 });
  try {
    await bootstrap(target.plan, rootfs, progress);
    for (const name of DROPPED) await rm(path.join(rootfs, name), { recursive: true, force: true });
    await mkdir(path.join(rootfs, "dev"), { mode: 0o755 });
    const node = path.join(rootfs, "usr/local/bin/node");
    await copyFile(options.nodePath, node);
    await chmod(node, 0o755);
    await run("chroot", [rootfs, "/usr/local/bin/node", "--version"], progress.signal);
    progress.onProgress("Importing the base system into the engine");
    await importFolder(engine, target.reference, rootfs, progress);
  } finally {
    await rm(rootfs, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function bootstrap(
  plan: DebianBasePlan & { kind: "possible" },
  rootfs: string,
  progress: ImageProgress,
): Promise<void> {
  const { suite, mirror, keyring } = plan.source;
  progress.onProgress(`Making a base image from Debian ${suite} packages (about half a minute)`);
  let lines = 0;
  await run(
    plan.debootstrap,
    [
      "--variant=minbase",
      `--include=${PACKAGES.join(",")}`,
      ...(keyring === null ? [] : [`--keyring=${keyring}`]),
      suite,
      rootfs,
      mirror,
    ],
    progress.signal,
    (line) => {
      lines += 1;
      if (lines % REPORT_EVERY === 0)
        progress.onProgress(`Base image: ${line.replace(/^I: /, "")}`);
    },
  );
}

async function importFolder(
  engine: ImageEngine,
  reference: string,
  folder: string,
  progress: ImageProgress,
): Promise<void> {
  const tar = spawn("tar", ["-C", folder, "--numeric-owner", "-c", "."], {
    stdio: ["ignore", "pipe", "ignore"],
    signal: progress.signal,
  });
  const ended = once(tar, "close");
  await Promise.all([engine.importRootfs(reference, tar.stdout, progress), ended]);
  const [code] = await ended;
  if (code !== 0) throw new Error(`tar ended with ${String(code)}`);
}

/** @throws Error with the command's last lines when it does not end with 0. */
async function run(
  command: string,
  args: readonly string[],
  signal: AbortSignal,
  onLine: (line: string) => void = () => undefined,
): Promise<void> {
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]),
  });
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      last.push(line);
      if (last.length > 5) last.shift();
      onLine(line);
    });
  }
  const [code] = await once(child, "close");
  if (code !== 0)
    throw new Error(`${path.basename(command)} ended with ${code}: ${last.join(" | ")}`);
}

/** A worker that was killed leaves its folder behind. */
async function removeAbandoned(workFolder: string): Promise<void> {
  const names = await readdir(workFolder).catch(() => []);
  for (const name of names) {
    const pid = Number(/^base-(\d+)$/.exec(name)?.[1]);
    if (!Number.isSafeInteger(pid) || (pid !== process.pid && isAlive(pid))) continue;
    await rm(path.join(workFolder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function firstPresent(candidates: readonly string[]): Promise<string | null> {
  for (const candidate of candidates) {
    const isPresent = await access(candidate).then(
      () => true,
      () => false,
    );
    if (isPresent) return candidate;
  }
  return null;
}

async function readAptFiles(): Promise<{ name: string; content: string }[]> {
  const parts = "/etc/apt/sources.list.d";
  const names = (await readdir(parts).catch(() => [])).sort().map((name) => path.join(parts, name));
  const files: { name: string; content: string }[] = [];
  for (const name of ["/etc/apt/sources.list", ...names]) {
    const content = await readFile(name, "utf8").catch(() => null);
    if (content !== null) files.push({ name, content });
  }
  return files;
}
