import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chown, lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { MAX_MANAGED_FILE_BYTES } from "@molecule/domain/paths";
import type { ProjectedFile } from "../../provisioning/compute-backend.ts";
import type { Account } from "./accounts.ts";

/** Bounds of reading an instance's `/configs` back. */
const MAX_FILES = 1_000;
const MAX_DEPTH = 12;
const MAX_TOTAL_BYTES = 32 * 1024 * 1024;

/**
 * Writes files below `folder` as the workspace's own. Nothing of the workspace may run. No link is
 * followed: a link or file that stands where a folder belongs is replaced, and each file is written
 * anew and put in place whole.
 */
export async function projectFiles(
  folder: string,
  files: readonly ProjectedFile[],
  account: Account | null,
): Promise<void> {
  for (const file of files) {
    const segments = segmentsOf(file.path);
    const name = segments.pop() ?? "";
    const parent = await openParents(folder, segments, account);
    const target = path.join(parent, name);
    await clearUnlessFile(target);
    const half = path.join(parent, `.${randomBytes(6).toString("hex")}.half`);
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
    const handle = await open(half, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, file.mode);
    try {
      await handle.writeFile(file.content);
      await handle.chmod(file.mode);
      if (account !== null) await handle.chown(account.uid, account.gid);
    } finally {
      await handle.close();
    }
    await rename(half, target);
  }
}

/** Removes files below `folder` and leaves folders; what is not there is fine. */
export async function removeProjected(folder: string, paths: readonly string[]): Promise<void> {
  for (const relative of paths) {
    const segments = segmentsOf(relative);
    const name = segments.pop() ?? "";
    const parent = await existingParents(folder, segments);
    if (parent === null) continue;
    const found = await lstat(path.join(parent, name)).catch(() => null);
    if (found !== null && !found.isDirectory()) await rm(path.join(parent, name), { force: true });
  }
}

/** Paths come from the database; this is the second lock on the same door. */
function segmentsOf(relative: string): string[] {
  const segments = relative.split("/");
  if (segments.some((segment) => ["", ".", ".."].includes(segment) || segment.includes("\0"))) {
    throw new Error("invariant: a projected path is relative and clean");
  }
  return segments;
}

async function openParents(
  folder: string,
  segments: readonly string[],
  account: Account | null,
): Promise<string> {
  let at = folder;
  for (const segment of segments) {
    at = path.join(at, segment);
    const found = await lstat(at).catch(() => null);
    if (found?.isDirectory()) continue;
    if (found !== null) await rm(at, { force: true });
    await mkdir(at, { mode: 0o700 });
    if (account !== null) await chown(at, account.uid, account.gid);
  }
  return at;
}

async function existingParents(
  folder: string,
  segments: readonly string[],
): Promise<string | null> {
  let at = folder;
  for (const segment of segments) {
    at = path.join(at, segment);
    const found = await lstat(at).catch(() => null);
    if (!found?.isDirectory()) return null;
  }
  return at;
}

async function clearUnlessFile(target: string): Promise<void> {
  const found = await lstat(target).catch(() => null);
  if (found === null || found.isFile()) return;
  await rm(target, { recursive: true, force: true });
}

/**
 * The regular files below `folder` by relative path; dot-files, links, oversized and special files are
 * left out. Null when the folder does not exist.
 */
export async function readFiles(folder: string): Promise<ReadonlyMap<string, Uint8Array> | null> {
  const top = await lstat(folder).catch(() => null);
  if (!top?.isDirectory()) return null;
  const files = new Map<string, Uint8Array>();
  const budget = { bytes: MAX_TOTAL_BYTES };
  await readInto(files, budget, { folder, prefix: "", depth: 0 });
  return files;
}

interface ReadAt {
  readonly folder: string;
  readonly prefix: string;
  readonly depth: number;
}

async function readInto(
  files: Map<string, Uint8Array>,
  budget: { bytes: number },
  at: ReadAt,
): Promise<void> {
  if (at.depth > MAX_DEPTH) return;
  const entries = await readdir(at.folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".") || files.size >= MAX_FILES) continue;
    const full = path.join(at.folder, entry.name);
    if (entry.isDirectory()) {
      await readInto(files, budget, {
        folder: full,
        prefix: `${at.prefix}${entry.name}/`,
        depth: at.depth + 1,
      });
    } else if (entry.isFile()) {
      const content = await readRegular(full);
      if (content === null || content.length > budget.bytes) continue;
      budget.bytes -= content.length;
      files.set(`${at.prefix}${entry.name}`, content);
    }
  }
}

/** Null for what is no ordinary file of one name: a second name could be somebody else's file. */
async function readRegular(file: string): Promise<Uint8Array | null> {
  const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
  const handle = await open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => null);
  if (handle === null) return null;
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.nlink !== 1 || found.size > MAX_MANAGED_FILE_BYTES) return null;
    return new Uint8Array(await handle.readFile());
  } finally {
    await handle.close();
  }
}
