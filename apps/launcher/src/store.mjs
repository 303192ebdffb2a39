import { setTimeout as pause } from "node:timers/promises";
import { checkServer, describeUrl, migrateDatabase } from "./database.mjs";
import { startPostgres } from "./postgres.mjs";
import { isRunning } from "./processes.mjs";

/** @typedef {import("./postgres.mjs").EmbeddedPostgres} EmbeddedPostgres */

/**
 * The database of a running platform.
 * @typedef {object} Store
 * @property {string} url
 * @property {(onMoved: (url: string) => void) => void} watch from now on an embedded Postgres that ends by itself
 *   is started again; `onMoved` hears of a new address
 */

const WATCH_MS = 1000;
const RETRY_MS = 5000;

/**
 * A database with the schema of this release: the embedded Postgres of `home`, or DATABASE_URL's.
 * @param {{ settings: import("./settings.mjs").Settings, home: string, root: string, progress: import("./progress.mjs").Progress, signal: AbortSignal, onStarted: (stop: () => Promise<void>, kill?: () => void) => void }} input
 * @returns {Promise<Store>}
 * @throws {import("./refusal.mjs").Refusal}
 */
export async function openStore({ settings, home, root, progress, signal, onStarted }) {
  const given = settings.databaseUrl;
  if (given !== undefined) {
    await progress.step(
      "Database",
      (step) => checkServer(given, { note: step.note, signal }),
      (version) => `Postgres ${version} at ${describeUrl(given)}`,
    );
    await migrate(given);
    return { url: given, watch: () => undefined };
  }
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  let isStopping = false;
  let server = await progress.step(
    "Database",
    (step) => startPostgres({ home, say: step.note }),
    (found) => `embedded Postgres ${describe(found)}`,
  );
  onStarted(
    async () => {
      isStopping = true;
      clearTimeout(timer);
      await server.stop();
    },
    () => void server.stop("immediate"),
  );
  signal.throwIfAborted();
  await migrate(server.url);
  return { url: server.url, watch };

  /** @param {string} url */
  async function migrate(url) {
    await progress.step(
      "Schema",
      () => migrateDatabase(url, root),
      (applied) => (applied === 0 ? "up to date" : `${applied} migrations applied`),
    );
  }

  /** @param {(url: string) => void} onMoved */
  function watch(onMoved) {
    const look = async () => {
      if (!isRunning(server.mark) && !isStopping) await restart(onMoved);
      if (!isStopping) timer = setTimeout(look, WATCH_MS);
    };
    timer = setTimeout(look, WATCH_MS);
  }

  /** @param {(url: string) => void} onMoved */
  async function restart(onMoved) {
    progress.say("The database ended. Starting it again.");
    const before = server.url;
    /** @type {string | undefined} */
    let trouble;
    do {
      trouble = await tryToStart(trouble);
    } while (trouble !== undefined && !isStopping);
    if (server.url !== before) onMoved(server.url);
  }

  /**
   * @param {string | undefined} lastSaid
   * @returns {Promise<string | undefined>} why it did not start
   */
  async function tryToStart(lastSaid) {
    try {
      server = await startPostgres({ home });
      if (isStopping) await server.stop();
      else progress.say("The database runs again.");
      return undefined;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== lastSaid) progress.say(`${message} Trying again every ${RETRY_MS / 1000} s.`);
      await pause(RETRY_MS);
      return message;
    }
  }
}

/** @param {EmbeddedPostgres} found */
function describe(found) {
  if (found.wasAdopted) return "was still running";
  return found.wasMade ? "made" : "started";
}
