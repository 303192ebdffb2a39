import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { writeFileWhole } from "./files.mjs";
import { refusalFor } from "./postgres-refusal.mjs";
import { codeOf, Refusal } from "./refusal.mjs";

/** @typedef {import("./postgres-binaries.mjs").PostgresBinaries} PostgresBinaries */

/**
 * The user that Postgres runs as; undefined means ours.
 * @typedef {{ uid: number, gid: number } | undefined} Account
 */

/** Superuser of the databases made here. */
export const USER = "molecule";
/** Says that a data folder is ours. */
const MARKER = "molecule-data.json";
/** initdb on a slow disk takes this long at most. */
const INIT_TIMEOUT_MS = 300_000;

/**
 * The user that Postgres runs as; undefined means ours. Postgres refuses to run as root, and needs a
 * user that the system's list of users knows.
 * @returns {Promise<Account>}
 */
export async function runAs() {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = async (/** @type {string} */ option) => {
    const { stdout } = await promisify(execFile)("id", [option, "nobody"]);
    return Number.parseInt(stdout, 10);
  };
  try {
    return { uid: await idOf("-u"), gid: await idOf("-g") };
  } catch (error) {
    throw new Refusal(
      "Postgres does not run as root, and this system has no user called nobody to run it as.",
      "Start Molecule as an ordinary user, or set DATABASE_URL to a Postgres 15 or later.",
      error,
    );
  }
}

/**
 * True when the folder holds a database that this program made and can run; false when there is none.
 * @param {string} dataFolder
 * @param {number} major
 * @returns {boolean}
 * @throws {Refusal} for everything else, before anything in it is touched
 */
export function checkDataFolder(dataFolder, major) {
  if (!existsSync(dataFolder)) return false;
  const entries = readdirSync(dataFolder);
  if (entries.length === 0) return false;
  const version = entries.includes("PG_VERSION")
    ? readFileSync(join(dataFolder, "PG_VERSION"), "utf8").trim()
    : undefined;
  if (!entries.includes(MARKER)) {
    const what = version === undefined ? "" : ` (it looks like a database of Postgres ${version})`;
    throw new Refusal(
      `The folder ${dataFolder} was not made by Molecule${what}, so it is left alone.`,
      "Move it away, or set MOLECULE_HOME to another folder.",
    );
  }
  if (version !== String(major)) {
    throw new Refusal(
      `The data in ${dataFolder} was made by Postgres ${version ?? "of an unknown version"}, and this release of Molecule runs Postgres ${major}.`,
      `Start the release that made it, or use a Postgres ${version ?? ""} of your own through DATABASE_URL.`,
    );
  }
  return true;
}

/**
 * The password of our databases' superuser, made when there is no data yet.
 * @param {string} home
 * @param {boolean} hasData
 * @returns {string}
 * @throws {Refusal} when there is data and its password is lost
 */
export function readPassword(home, hasData) {
  const file = join(home, "pg-password");
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    if (hasData) {
      throw new Refusal(
        `The file ${file} is missing, and without it the database in ${join(home, "pg")} cannot be opened.`,
        "Put it back from a backup. To start empty instead, move the folder pg away.",
        error,
      );
    }
  }
  const password = randomBytes(24).toString("base64url");
  writeFileWhole(file, `${password}\n`, 0o600);
  return password;
}

/**
 * Makes the data folder beside its place and moves it there when it is whole, so that a crash leaves
 * either nothing or a usable database.
 * @param {{ home: string, binaries: PostgresBinaries, account: Account, password: string }} input
 */
export async function makeDataFolder({ home, binaries, account, password }) {
  for (const entry of readdirSync(home)) {
    if (entry.startsWith("pg-making-")) rmSync(join(home, entry), { recursive: true, force: true });
  }
  const folder = mkdtempSync(join(home, "pg-making-"));
  try {
    const passwordFile = join(folder, "password");
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    if (account !== undefined) {
      chownSync(passwordFile, account.uid, account.gid);
      chownSync(folder, account.uid, account.gid);
    }
    const half = join(folder, "data");
    await runInitdb(binaries, account, [
      `--pgdata=${half}`,
      `--username=${USER}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--no-instructions",
      "--no-sync",
    ]);
    const marker = join(half, MARKER);
    writeFileSync(marker, `${JSON.stringify({ madeBy: "molecule", major: binaries.major })}\n`);
    if (account !== undefined) chownSync(marker, account.uid, account.gid);
    renameSync(half, join(home, "pg"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {PostgresBinaries} binaries
 * @param {Account} account
 * @param {string[]} args
 */
async function runInitdb(binaries, account, args) {
  try {
    await promisify(execFile)(binaries.initdb, args, {
      ...account,
      cwd: "/",
      env: serverEnvironment(),
      timeout: INIT_TIMEOUT_MS,
    });
  } catch (error) {
    const stderr = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
    throw refusalFor(stderr, "A new database could not be made", error);
  }
}

/**
 * A backup that was put back as root belongs to root; Postgres needs to own its folder.
 * @param {string} dataFolder
 * @param {Account} account
 */
export function repairAccess(dataFolder, account) {
  const stat = statSync(dataFolder);
  if ((stat.mode & 0o777) !== 0o700) chmodSync(dataFolder, 0o700);
  if (account === undefined || stat.uid === account.uid) return;
  chownSync(dataFolder, account.uid, account.gid);
  for (const entry of readdirSync(dataFolder, { withFileTypes: true, recursive: true })) {
    if (!entry.isSymbolicLink())
      chownSync(join(entry.parentPath, entry.name), account.uid, account.gid);
  }
}

/**
 * The whole environment of Postgres' programs: the caller's settings (PGDATA, PGPORT,
 * LD_LIBRARY_PATH) must not reach them.
 * @returns {Record<string, string>}
 */
export function serverEnvironment() {
  return { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}
