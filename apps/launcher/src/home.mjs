import { createHash, randomBytes, randomUUID } from "node:crypto";
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { writeFileWhole } from "./files.mjs";
import { closedParentOf } from "./postgres-binaries.mjs";
import { codeOf, Refusal, refusalForFolder } from "./refusal.mjs";

/** Made by the first start; its presence says that a folder is ours. */
const ID_FILE = "platform-id";
/** Below this nothing is started: Postgres writes its log in pieces of 16 MiB. */
const LEAST_FREE_BYTES = 32 * 1024 * 1024;
/** A new database with its first log files takes about 40 MiB. */
const LEAST_FREE_BYTES_NEW = 160 * 1024 * 1024;

/**
 * Where all state is.
 * @typedef {object} Home
 * @property {string} folder absolute
 * @property {string | undefined} notice said first: why it is not where one would look
 */

/**
 * Chooses the folder of all state without touching anything.
 * @param {{ given: string | undefined, root: string, isRoot: boolean }} options `given`: MOLECULE_HOME;
 *   `root`: the checkout
 * @returns {Home}
 * @throws {Refusal} when the chosen folder could not be reached by the other users that root starts
 */
export function resolveHome({ given, root, isRoot }) {
  if (given !== undefined && given !== "") {
    const folder = resolve(given);
    const closed = isRoot ? closedParentOf(dirname(folder)) : undefined;
    if (closed === undefined) return { folder, notice: undefined };
    throw refusalForClosed(folder, closed);
  }
  const closed = isRoot ? closedParentOf(root) : undefined;
  if (closed === undefined) return { folder: join(root, ".molecule"), notice: undefined };
  const folder = join("/var/lib/molecule", stableName(root));
  return {
    folder,
    notice: `Data is kept in ${folder}: only root can enter ${closed}, and Postgres and the agents run as other users.`,
  };
}

/**
 * @param {string} folder
 * @param {string} closed
 */
function refusalForClosed(folder, closed) {
  return new Refusal(
    `The data folder ${folder} lies below ${closed}, which only its owner can enter. As root, Molecule runs Postgres and the agents as other users, who could not reach it.`,
    `Set MOLECULE_HOME to a folder elsewhere, for example /var/lib/molecule/${basename(folder)}.`,
  );
}

/** @param {string} root */
function stableName(root) {
  const path = realpathSync(root);
  const digest = createHash("sha256").update(path).digest("hex").slice(0, 8);
  return `${basename(path)}-${digest}`;
}

/**
 * The folder exists, is writable, has room, and can be entered by those who must.
 * @param {string} folder
 * @param {{ isRoot: boolean }} options
 * @throws {Refusal}
 */
export function prepareHome(folder, { isRoot }) {
  try {
    const isNew = !existsSync(folder);
    makeFolder(folder, isRoot);
    openHome(folder, isRoot, isNew);
    for (const name of ["run", "logs"])
      mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
    probe(join(folder, "run", `probe-${process.pid}`));
  } catch (error) {
    throw refusalForFolder(error, folder) ?? error;
  }
  const closed = isRoot ? closedParentOf(folder) : undefined;
  if (closed !== undefined) throw refusalForClosed(folder, closed);
  const needed = existsSync(join(folder, "pg")) ? LEAST_FREE_BYTES : LEAST_FREE_BYTES_NEW;
  const disk = statfsSync(folder);
  const free = disk.bavail * disk.bsize;
  if (free < needed) {
    throw new Refusal(
      `The disk that holds ${folder} is full: ${toMiB(free)} MiB are free, and ${toMiB(needed)} MiB are needed.`,
      "Free some space, or set MOLECULE_HOME to a folder on another disk. Nothing was changed.",
    );
  }
}

/**
 * @param {string} folder
 * @param {boolean} isRoot
 */
function makeFolder(folder, isRoot) {
  // Part by part: on file systems where nothing can be made, such as /proc, Node.js' own recursive
  // mkdir never returns.
  const missing = [];
  for (let part = folder; !existsSync(part); part = dirname(part)) missing.unshift(part);
  for (const part of missing) {
    try {
      mkdirSync(part);
    } catch (error) {
      if (codeOf(error) === "EEXIST") continue;
      accessSync(dirname(part), constants.W_OK);
      throw error;
    }
    // Whatever the umask says: other users pass through what was made on the way.
    if (isRoot && part !== folder) chmodSync(part, 0o755);
  }
}

/** @param {number} bytes */
const toMiB = (bytes) => Math.floor(bytes / 1024 / 1024);

/**
 * @param {string} folder
 * @param {boolean} isRoot
 * @param {boolean} isNew
 */
function openHome(folder, isRoot, isNew) {
  const mode = statSync(folder).mode & 0o777;
  const isOurs = isNew || existsSync(join(folder, ID_FILE)) || readdirSync(folder).length === 0;
  if (isOurs) {
    // Root's agents run under other uids and only pass through; each folder inside closes itself.
    chmodSync(folder, isRoot ? 0o711 : 0o700);
  } else if (isRoot && (mode & 0o001) === 0) {
    throw new Refusal(
      `The data folder ${folder} holds other files and only its owner can enter it. As root, Molecule runs Postgres and the agents as other users, who could not reach it.`,
      "Set MOLECULE_HOME to a new folder.",
    );
  }
}

/** @param {string} file */
function probe(file) {
  const handle = openSync(file, "w", 0o600);
  try {
    writeSync(handle, Buffer.alloc(64 * 1024));
  } finally {
    closeSync(handle);
    rmSync(file, { force: true });
  }
}

/**
 * What identifies this platform and opens its doors.
 * @typedef {object} Identity
 * @property {string} platformId
 * @property {string} adminToken bearer of scripts
 */

/**
 * Every key file exists, readable by this user alone; existing ones are kept.
 * @param {string} folder
 * @param {{ adminToken: string | undefined, hasSecretsKey: boolean }} given from the environment; a given
 *   admin token is not stored
 * @returns {Identity}
 */
export function ensureIdentity(folder, { adminToken, hasSecretsKey }) {
  try {
    if (!hasSecretsKey) ensureFile(join(folder, "secrets.key"), () => newKey());
    ensureFile(join(folder, "worker.key"), () => newKey());
    const ownToken = ensureFile(
      join(folder, "admin-token"),
      () => `mol_${randomBytes(32).toString("base64url")}`,
    );
    return {
      platformId: ensureFile(join(folder, ID_FILE), () => randomUUID()),
      adminToken: adminToken || ownToken,
    };
  } catch (error) {
    throw refusalForFolder(error, folder) ?? error;
  }
}

const newKey = () => randomBytes(32).toString("base64");

/**
 * @param {string} file
 * @param {() => string} make
 */
function ensureFile(file, make) {
  if (existsSync(file)) {
    const content = readFileSync(file, "utf8").trim();
    if (content !== "") return content;
  }
  const content = make();
  writeFileWhole(file, `${content}\n`, 0o600);
  return content;
}
