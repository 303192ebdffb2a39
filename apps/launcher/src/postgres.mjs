import { spawn } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import { writeFileWhole } from "./files.mjs";
import { locatePostgres } from "./postgres-binaries.mjs";
import {
  checkDataFolder,
  makeDataFolder,
  readPassword,
  repairAccess,
  runAs,
  serverEnvironment,
  USER,
} from "./postgres-data.mjs";
import { refusalFor } from "./postgres-refusal.mjs";
import { commandOf, markOf, signalProcess, waitUntilGone } from "./processes.mjs";
import { codeOf, Refusal } from "./refusal.mjs";

/** @typedef {import("./processes.mjs").ProcessMark} ProcessMark */
/** @typedef {import("./postgres-binaries.mjs").PostgresBinaries} PostgresBinaries */
/** @typedef {import("./postgres-data.mjs").Account} Account */

/**
 * A running embedded Postgres.
 * @typedef {object} EmbeddedPostgres
 * @property {string} url with the password; never printed
 * @property {number} port on 127.0.0.1
 * @property {number} pid of the postmaster
 * @property {boolean} wasMade true when this call made the data folder
 * @property {boolean} wasAdopted true when it was running already
 * @property {ProcessMark} mark
 * @property {(how?: "fast" | "immediate") => Promise<void>} stop resolves when it is gone; "immediate" skips the
 *   checkpoint, so that the next start recovers from the log
 */

/**
 * @typedef {object} PostgresOptions
 * @property {string} home folder with `pg`, `pg-password`, `pg-port` and `logs/postgres.log`; must exist
 * @property {boolean} [isThrowaway] true: durability is off, for tests
 * @property {Record<string, string>} [settings] more server settings
 * @property {(line: string) => void} [say] hears what takes long
 * @property {string} [cacheFolder] where a readable copy of the programs is put when needed
 */

const DATABASE = "molecule";
/** Recovery after a crash replays the log; the time is bounded so that a start never hangs. */
const START_TIMEOUT_MS = 300_000;
const STOP_TIMEOUT_MS = 30_000;
const LOG_LIMIT_BYTES = 8 * 1024 * 1024;
/** Safe for data only in a folder that is thrown away. */
const THROWAWAY_SETTINGS = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  max_connections: "200",
  autovacuum_naptime: "1h",
};
const SETTINGS = { max_connections: "100", shared_buffers: "64MB" };

/**
 * Starts the embedded Postgres of a folder, or adopts the one that runs on it already. It survives
 * the death of this process; {@link EmbeddedPostgres.stop} ends it.
 * @param {PostgresOptions} options
 * @returns {Promise<EmbeddedPostgres>}
 * @throws {Refusal} when the data folder is not ours, is of another major version, or it cannot start
 */
export async function startPostgres(options) {
  const { home } = options;
  const dataFolder = join(home, "pg");
  const account = await runAs();
  const binaries = locatePostgres({
    cacheFolder: options.cacheFolder ?? join(home, "cache"),
    otherUser: account !== undefined,
  });
  const hasData = checkDataFolder(dataFolder, binaries.major);
  const password = readPassword(home, hasData);
  if (!hasData) {
    options.say?.("making a new database");
    await makeDataFolder({ home, binaries, account, password });
  }
  const running = await adopt(dataFolder, password);
  const server =
    running ?? (await startServer({ options, dataFolder, binaries, account, password }));
  await ensureDatabase(server.port, password);
  return {
    ...server,
    pid: server.mark.pid,
    url: urlFor(server.port, password, DATABASE),
    wasMade: !hasData,
    wasAdopted: running !== undefined,
    stop: async (how = "fast") => {
      signalProcess(server.mark, how === "fast" ? "SIGINT" : "SIGQUIT");
      if (await waitUntilGone(server.mark, STOP_TIMEOUT_MS)) return;
      signalProcess(server.mark, "SIGQUIT");
      await waitUntilGone(server.mark, STOP_TIMEOUT_MS);
    },
  };
}

/**
 * What `postmaster.pid` says; undefined when there is no such file.
 * @param {string} dataFolder
 * @returns {{ pid: number, port: number, isReady: boolean } | undefined}
 */
export function readPidFile(dataFolder) {
  try {
    const lines = readFileSync(join(dataFolder, "postmaster.pid"), "utf8").split("\n");
    return {
      pid: Number.parseInt(lines[0] ?? "", 10),
      port: Number.parseInt(lines[3] ?? "", 10),
      isReady: lines[7]?.trim() === "ready",
    };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * The server that runs on this folder. A pid file whose process is gone, or is some other program that
 * was given the same number after a reboot, is removed: Postgres would refuse to start for the latter.
 * @param {string} dataFolder
 * @param {string} password
 */
async function adopt(dataFolder, password) {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const file = readPidFile(dataFolder);
    if (file === undefined) return undefined;
    const mark = markOf(file.pid);
    if (mark === undefined || !commandOf(file.pid).includes(dataFolder)) {
      rmSync(join(dataFolder, "postmaster.pid"), { force: true });
      return undefined;
    }
    if (file.isReady && (await answers(file.port, password))) return { port: file.port, mark };
    if (Date.now() > deadline) {
      throw new Refusal(
        `A Postgres (process ${file.pid}) runs on ${dataFolder}, but does not answer.`,
        `Stop it with: kill -INT ${file.pid}`,
      );
    }
    // It is starting, recovering or shutting down.
    await pause(50);
  }
}

/**
 * @param {number} port
 * @param {string} password
 */
async function answers(port, password) {
  const sql = connect(port, password, "postgres");
  try {
    await sql`SELECT 1`;
    return true;
  } catch (error) {
    if (codeOf(error) === "28P01") {
      throw new Refusal(
        "The running database does not accept the password in the file pg-password.",
        "Put the file back from a backup.",
        error,
      );
    }
    return false;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/**
 * @param {number} port
 * @param {string} password
 * @param {string} database
 */
function connect(port, password, database) {
  return postgres(urlFor(port, password, database), {
    max: 1,
    connect_timeout: 10,
    onnotice: () => undefined,
  });
}

/**
 * @param {number} port
 * @param {string} password
 * @param {string} database
 */
function urlFor(port, password, database) {
  return `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;
}

/**
 * @param {number} port
 * @param {string} password
 */
async function ensureDatabase(port, password) {
  const sql = connect(port, password, "postgres");
  try {
    const found = await sql`SELECT 1 FROM pg_database WHERE datname = ${DATABASE}`;
    if (found.length === 0) await sql`CREATE DATABASE ${sql(DATABASE)}`;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/**
 * @param {{ options: PostgresOptions, dataFolder: string, binaries: PostgresBinaries, account: Account, password: string }} input
 */
async function startServer({ options, dataFolder, binaries, account, password }) {
  const { home } = options;
  repairAccess(dataFolder, account);
  const logFile = join(home, "logs", "postgres.log");
  mkdirSync(join(home, "logs"), { recursive: true });
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT_BYTES) {
    truncateSync(logFile);
  }
  const portFile = join(home, "pg-port");
  /** @type {string} */
  let stderr = "";
  for (let tries = 0; tries < 5; tries += 1) {
    const port = await choosePort(tries === 0 ? readPort(portFile) : undefined);
    const logStart = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
    const mark = spawnServer({ options, dataFolder, binaries, account, port, logFile });
    if (mark !== undefined && (await becomesReady(dataFolder, mark, options.say))) {
      if (!options.isThrowaway) writeFileWhole(portFile, `${port}\n`, 0o600);
      if (await answers(port, password)) return { port, mark };
    }
    stderr = readFileSync(logFile).subarray(logStart).toString("utf8");
    if (!/could not bind|Address already in use/i.test(stderr)) break;
  }
  throw refusalFor(stderr, "Postgres did not start", undefined);
}

/**
 * @param {{ options: PostgresOptions, dataFolder: string, binaries: PostgresBinaries, account: Account, port: number, logFile: string }} input
 * @returns {ProcessMark | undefined}
 */
function spawnServer({ options, dataFolder, binaries, account, port, logFile }) {
  const settings = {
    listen_addresses: "127.0.0.1",
    // Loopback with a password is the only way in: a socket file would be one more thing to guard.
    unix_socket_directories: "",
    log_timezone: "UTC",
    timezone: "UTC",
    ...SETTINGS,
    ...(options.isThrowaway ? THROWAWAY_SETTINGS : {}),
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const log = openSync(logFile, "a", 0o600);
  try {
    const child = spawn(binaries.postgres, ["-D", dataFolder, "-p", String(port), ...flags], {
      ...account,
      cwd: "/",
      env: serverEnvironment(),
      // Its own session: Ctrl-C in the terminal must not stop it before server and worker.
      detached: true,
      stdio: ["ignore", log, log],
    });
    child.once("error", (error) => writeFileSync(logFile, `${error.message}\n`, { flag: "a" }));
    child.unref();
    return child.pid === undefined ? undefined : markOf(child.pid);
  } finally {
    closeSync(log);
  }
}

/**
 * @param {string} dataFolder
 * @param {ProcessMark} mark
 * @param {((line: string) => void) | undefined} say
 */
async function becomesReady(dataFolder, mark, say) {
  const begin = Date.now();
  let wasSaid = false;
  while (Date.now() - begin < START_TIMEOUT_MS) {
    const file = readPidFile(dataFolder);
    if (file?.pid === mark.pid && file.isReady) return true;
    if (markOf(mark.pid)?.startTime !== mark.startTime) return false;
    if (!wasSaid && Date.now() - begin > 3000) {
      wasSaid = true;
      say?.("the database recovers from an unclean end");
    }
    await pause(10);
  }
  return false;
}

/** @param {string} portFile */
function readPort(portFile) {
  try {
    const port = Number.parseInt(readFileSync(portFile, "utf8"), 10);
    return port > 0 && port < 65_536 ? port : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The preferred port when it is free, else any free one.
 * @param {number | undefined} preferred
 * @returns {Promise<number>}
 */
export async function choosePort(preferred) {
  /** @type {(port: number) => Promise<number>} */
  const tryPort = (port) =>
    new Promise((resolve, reject) => {
      const probe = createServer();
      probe.once("error", reject);
      probe.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
        const address = probe.address();
        const found = typeof address === "object" && address !== null ? address.port : 0;
        probe.close(() => resolve(found));
      });
    });
  if (preferred !== undefined) {
    try {
      return await tryPort(preferred);
    } catch (error) {
      if (codeOf(error) !== "EADDRINUSE" && codeOf(error) !== "EACCES") throw error;
    }
  }
  return await tryPort(0);
}
