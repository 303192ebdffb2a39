import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { takeLock } from "./lock.mjs";
import { createProgress } from "./progress.mjs";
import { runQuietly } from "./run-quietly.mjs";

/** @typedef {import("./progress.mjs").Progress} Progress */
/** @typedef {import("./progress.mjs").Step} Step */

/** The checkout. */
export const ROOT = resolve(import.meta.dirname, "../../..");

const APPS = ["server", "worker", "runtime", "mcp", "canvas"];
/** What a finished build leaves behind, relative to the checkout. */
const OUTPUTS = [
  "apps/server/dist/main.js",
  "apps/server/dist/migrate.js",
  "apps/worker/dist/main.js",
  "apps/runtime/dist/runtime.mjs",
  "apps/mcp/dist/molecule-mcp.mjs",
  "apps/canvas/out/index.html",
];
const BUILT_FOLDERS = new Set(["node_modules", "dist", "out", ".next", ".turbo"]);

/**
 * How the two steps show themselves and are interrupted.
 * @typedef {object} PrepareOptions
 * @property {Progress} [progress] absent: standard output
 * @property {AbortSignal} [signal]
 * @property {string} [root] the checkout; absent: this one
 */

/**
 * The packages of the lock file are installed. Nothing runs when they are already.
 * @param {PrepareOptions} [options]
 * @returns {Promise<void>}
 * @throws {Refusal} when npm fails
 */
export async function installIfStale(options = {}) {
  const { progress = createProgress(process.stdout), root = ROOT } = options;
  await progress.step(
    "Packages",
    async (step) => {
      if (isInstalled(root)) return "up to date";
      const lock = await lockCheckout(root, step);
      try {
        if (isInstalled(root)) return "up to date";
        step.note("npm ci");
        await runNpm({
          args: ["ci", "--no-audit", "--no-fund"],
          root,
          step,
          signal: options.signal,
        });
        writeFileSync(join(root, "node_modules/.molecule-lock"), digestOfLock(root));
        return "installed";
      } finally {
        lock.release();
      }
    },
    (words) => words,
  );
}

/**
 * One digest of the lock file, as the stamp of an installation holds it.
 * @param {string} root
 * @returns {string} hexadecimal
 */
export function digestOfLock(root) {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
}

/**
 * True when node_modules holds what the lock file says. An installation that somebody else made counts
 * when npm's own record of it agrees with the lock file.
 * @param {string} root
 * @returns {boolean}
 */
export function isInstalled(root) {
  const stampFile = join(root, "node_modules/.molecule-lock");
  const recordFile = join(root, "node_modules/.package-lock.json");
  if (!existsSync(recordFile)) return false;
  const digest = digestOfLock(root);
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === digest) return true;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const record = JSON.parse(readFileSync(recordFile, "utf8"));
  if (!hasEveryPackage(wanted.packages, record.packages)) return false;
  writeFileSync(stampFile, digest);
  return true;
}

/** @typedef {Record<string, { version?: string, optional?: boolean, link?: boolean }>} LockedPackages */

/**
 * True when each package of the lock that every platform installs is in npm's record with its version.
 * @param {LockedPackages} wanted
 * @param {LockedPackages} present
 * @returns {boolean}
 */
export function hasEveryPackage(wanted, present) {
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes("node_modules/") || entry.optional === true) return true;
    const found = present[path];
    return found !== undefined && (entry.link === true || found.version === entry.version);
  });
}

/**
 * Every program is built from the sources as they are. Nothing runs when they did not change.
 * @param {PrepareOptions} [options]
 * @returns {Promise<void>}
 * @throws {Refusal} when a build fails
 */
export async function buildIfStale(options = {}) {
  const { progress = createProgress(process.stdout), root = ROOT } = options;
  await progress.step(
    "Build",
    async (step) => {
      if (isBuilt(root, digestOfSources(root))) return "up to date";
      const lock = await lockCheckout(root, step);
      try {
        // Taken before the build: a file that changes during it makes the next start build again.
        const digest = digestOfSources(root);
        if (isBuilt(root, digest)) return "up to date";
        rmSync(stampOf(root), { force: true });
        await runBuild(root, step, options.signal);
        mkdirSync(dirname(stampOf(root)), { recursive: true });
        writeFileSync(stampOf(root), `${digest} ${process.env.GIT_SHA ?? ""}`.trim());
        return "built";
      } finally {
        lock.release();
      }
    },
    (words) => words,
  );
}

/** @param {string} root */
const stampOf = (root) => join(root, "node_modules/.cache/molecule/build");

/**
 * A build that was told another GIT_SHA than this start is made again, so that /buildinfo is right.
 * @param {string} root
 * @param {string} digest
 */
function isBuilt(root, digest) {
  const stamp = stampOf(root);
  if (!OUTPUTS.every((file) => existsSync(join(root, file))) || !existsSync(stamp)) return false;
  const [sources, sha = ""] = readFileSync(stamp, "utf8").split(" ");
  return sources === digest && (!process.env.GIT_SHA || sha === process.env.GIT_SHA);
}

/**
 * One digest of everything that a build reads.
 * @param {string} root
 * @returns {string} hexadecimal
 */
export function digestOfSources(root) {
  const hash = createHash("sha256");
  const files = ["package-lock.json", "tsconfig.base.json", "turbo.json"].concat(
    APPS.flatMap((app) => sourcesBelow(root, `apps/${app}`)),
    readdirSync(join(root, "packages")).flatMap((name) => sourcesBelow(root, `packages/${name}`)),
  );
  for (const file of files) {
    const path = join(root, file);
    if (existsSync(path)) hash.update(file).update("\0").update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex");
}

/**
 * @param {string} root
 * @param {string} folder
 * @returns {string[]}
 */
function sourcesBelow(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return BUILT_FOLDERS.has(entry.name) ? [] : sourcesBelow(root, path);
      const isSource =
        entry.isFile() &&
        !/\.(test\.tsx?|md|tsbuildinfo)$/.test(entry.name) &&
        entry.name !== "next-env.d.ts";
      return isSource ? [path] : [];
    });
}

/**
 * @param {string} root
 * @param {Step} step
 * @param {AbortSignal | undefined} signal
 */
async function runBuild(root, step, signal) {
  const filters = APPS.map((app) => `--filter=@molecule/${app}`);
  const flags = ["--ui=stream", "--output-logs=new-only", "--log-order=stream"];
  await runQuietly(
    {
      title: "The build failed",
      next: "The lines above say where. If the checkout was changed, put it back; else report it.",
      file: process.execPath,
      args: [join(root, "node_modules/turbo/bin/turbo"), "run", "build", ...filters, ...flags],
      root,
      signal,
      env: { TURBO_TELEMETRY_DISABLED: "1", NEXT_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" },
    },
    (line) => {
      const app = /^@molecule\/(\w+):build:/.exec(line)?.[1];
      if (app !== undefined) step.note(app);
    },
  );
}

/** @param {{ args: string[], root: string, step: Step, signal: AbortSignal | undefined }} input */
async function runNpm({ args, root, step, signal }) {
  const npm = process.env.npm_execpath;
  const isScript = npm !== undefined && /npm-cli\.c?js$/.test(npm) && existsSync(npm);
  await runQuietly(
    {
      title: "The packages could not be installed",
      next: "Check the network and the disk, and start again. npm ci shows the same by hand.",
      file: isScript ? process.execPath : "npm",
      args: isScript ? [npm, ...args] : args,
      root,
      signal,
      env: { NEXT_TELEMETRY_DISABLED: "1" },
      isTold: (line) => /^npm (error|ERR!) \S/.test(line) && !/ error (-|aliases|Run )/.test(line),
    },
    (line) => {
      if (line.startsWith("added ")) step.note(line);
    },
  );
}

/**
 * One start at a time installs or builds in a checkout; others wait.
 * @param {string} root
 * @param {Step} step
 */
async function lockCheckout(root, step) {
  const file = join(root, ".turbo", "molecule.lock");
  for (;;) {
    const taken = takeLock(file);
    if ("lock" in taken) return taken.lock;
    step.note(`waiting for another start (process ${taken.holder.pid})`);
    await pause(200);
  }
}
