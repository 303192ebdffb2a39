import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  realpathSync,
  renameSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { closedParentOf } from "./postgres-binaries.mjs";

/**
 * A path of this file that every user of the machine can read and run: the file itself, or a copy in
 * `cacheFolder` when it lies in a folder that is closed to others.
 * @param {string} file
 * @param {string} cacheFolder
 * @returns {string}
 */
export function makeReachable(file, cacheFolder) {
  const real = realpathSync(file);
  const stat = statSync(file);
  const isRunnable = (stat.mode & 0o100) !== 0;
  const needed = isRunnable ? 0o005 : 0o004;
  if (closedParentOf(dirname(real)) === undefined && (stat.mode & needed) === needed) return file;
  const digest = createHash("sha256").update(`${file} ${stat.size} ${stat.mtimeMs}`).digest("hex");
  mkdirSync(cacheFolder, { recursive: true });
  chmodSync(cacheFolder, 0o755);
  const folder = join(cacheFolder, digest.slice(0, 12));
  const copy = join(folder, basename(file));
  if (existsSync(copy)) return copy;
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  const half = `${copy}.half-${process.pid}`;
  copyFileSync(file, half);
  chmodSync(half, isRunnable ? 0o755 : 0o644);
  renameSync(half, copy);
  return copy;
}
