import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileWhole } from "./files.mjs";
import { ensureIdentity, prepareHome, resolveHome } from "./home.mjs";
import { takeLock } from "./lock.mjs";
import { buildIfStale, installIfStale } from "./prepare.mjs";
import { makeReachable } from "./reachable.mjs";
import { Refusal } from "./refusal.mjs";
import { claimPort, originOf, readSettings } from "./settings.mjs";
import { endLeftover, superviseChild } from "./supervise.mjs";

/** @typedef {import("./progress.mjs").Progress} Progress */
/** @typedef {import("./settings.mjs").Settings} Settings */
/** @typedef {import("./supervise.mjs").SupervisedChild} SupervisedChild */

/**
 * What a start needs from outside.
 * @typedef {object} StartInput
 * @property {string} root the checkout
 * @property {NodeJS.ProcessEnv} env
 * @property {Progress} progress
 * @property {AbortSignal} signal
 * @property {(stop: () => Promise<void>, kill?: () => void) => void} onStarted hears how to end what was
 *   started, in the order it was started
 */

/** Where a running platform's database is; for `npm run link` and the benchmarks. */
export const URL_FILE = "run/database-url";
/** @param {string} home */
export const lockFileOf = (home) => join(home, "run", "launcher.json");

const WORKER_STOP_MS = 15_000;
const SERVER_STOP_MS = 10_000;

/**
 * Brings the platform up and prints its one-time link. Resolves when it is ready; it then runs until
 * the functions given to `onStarted` are called, last first.
 * @param {StartInput} input
 * @returns {Promise<void>}
 * @throws {Refusal} for everything a person can do something about
 */
export async function startPlatform(input) {
  const { root, env, progress, signal, onStarted } = input;
  const begin = performance.now();
  const settings = readSettings(env);
  const isRoot = process.getuid?.() === 0;
  const { folder: home, notice } = resolveHome({ given: settings.home, root, isRoot });
  if (notice !== undefined) progress.say(notice);
  const version = String(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version);
  progress.say(`Molecule ${version}`);
  prepareHome(home, { isRoot });
  const port = settings.port === 0 ? await claimPort(settings.host, 0) : settings.port;
  const origin = originOf(settings, port);
  onStarted(lockHome(home, origin));
  await endLeftover(home, "server", progress.say);
  await endLeftover(home, "worker", progress.say);
  await claimPort(settings.host, port);
  const identity = ensureIdentity(home, settings);
  await installIfStale({ progress, signal, root });
  await buildIfStale({ progress, signal, root });
  // These need what was just installed and built.
  const { openStore } = await import("./store.mjs");
  const store = await openStore({ settings, home, root, progress, signal, onStarted });
  writeFileWhole(join(home, URL_FILE), `${store.url}\n`, 0o600);
  onStarted(async () => rmSync(join(home, URL_FILE), { force: true }));
  const childEnv = environmentFor({
    base: env,
    settings,
    values: {
      DATABASE_URL: store.url,
      PORT: String(port),
      MOLECULE_HOME: home,
      ADMIN_TOKEN: identity.adminToken,
      PUBLIC_URL: origin,
      MOLECULE_VERSION: version,
      ...programsFor({ root, home, isRoot, given: settings.runtimeBundle }),
    },
  });
  const children = await progress.step("Server and worker", () =>
    startChildren({
      root,
      home,
      env: childEnv,
      timeScale: settings.timeScale,
      say: progress.say,
      signal,
      onStarted,
    }),
  );
  store.watch((url) => {
    childEnv.DATABASE_URL = url;
    for (const child of [children.server, children.worker]) {
      const pid = child.pid();
      // Not SIGTERM: that would stop the agents. They are started again with the new address.
      if (pid !== undefined) process.kill(pid, "SIGKILL");
    }
  });
  signal.throwIfAborted();
  const { createSignInLink } = await import("./sign-in.mjs");
  const link = await createSignInLink(store.url, origin);
  announce({ progress, link, home, worker: children.workerLine, begin });
}

/**
 * @param {string} home
 * @param {string} origin
 * @returns {() => Promise<void>}
 */
function lockHome(home, origin) {
  const taken = takeLock(lockFileOf(home), origin);
  if ("holder" in taken) {
    const { pid, note } = taken.holder;
    throw new Refusal(
      `Molecule already runs on the data folder ${home} (process ${pid}, ${note}).`,
      "npm run link prints a way in. For a second one, set another MOLECULE_HOME and PORT.",
    );
  }
  return async () => taken.lock.release();
}

/**
 * The environment of server and worker. What npm sets for its own scripts is left out.
 * @param {{ base: NodeJS.ProcessEnv, settings: Settings, values: Record<string, string> }} input
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentFor({ base, settings, values }) {
  const kept = Object.entries(base).filter(([name]) => !/^npm_/i.test(name));
  return {
    ...Object.fromEntries(kept),
    NODE_ENV: "production",
    HOST: settings.host,
    MOLECULE_BACKEND: settings.backend,
    MOLECULE_EXIT_WITH_STDIN: "1",
    MOLECULE_STOP_AGENTS_ON_EXIT: "1",
    ...values,
  };
}

/**
 * The programs that agents are started with, where the users that agents run as can reach them.
 * @param {{ root: string, home: string, isRoot: boolean, given: string | undefined }} where
 */
function programsFor({ root, home, isRoot, given }) {
  const bundle = given ?? join(root, "apps/runtime/dist/runtime.mjs");
  const cache = join(home, "cache");
  return {
    CANVAS_DIR: join(root, "apps/canvas/out"),
    RUNTIME_BUNDLE: isRoot ? makeReachable(bundle, cache) : bundle,
    RUNTIME_NODE: isRoot ? makeReachable(process.execPath, cache) : process.execPath,
  };
}

/**
 * @param {{ root: string, home: string, env: NodeJS.ProcessEnv, timeScale: number, say: (line: string) => void, signal: AbortSignal, onStarted: StartInput["onStarted"] }} input
 */
async function startChildren({ root, home, env, timeScale, say, signal, onStarted }) {
  const begin = (/** @type {string} */ name, /** @type {number} */ stopMs) => {
    const script = join(root, "apps", name, "dist/main.js");
    const child = superviseChild({ name, script, env, home, timeScale, say });
    onStarted(() => child.stop(stopMs), child.kill);
    return child;
  };
  // Stopped last first: the worker, which ends the agents, while the server still hears them.
  const server = begin("server", SERVER_STOP_MS);
  const worker = begin("worker", WORKER_STOP_MS);
  const [, workerLine] = await untilAborted(signal, Promise.all([server.ready, worker.ready]));
  return { server, worker, workerLine };
}

/**
 * @template T
 * @param {AbortSignal} signal
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
async function untilAborted(signal, work) {
  signal.throwIfAborted();
  /** @type {() => void} */
  let stopListening = () => undefined;
  const aborted = new Promise((_, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    stopListening = () => signal.removeEventListener("abort", onAbort);
  });
  try {
    return /** @type {T} */ (await Promise.race([work, aborted]));
  } finally {
    stopListening();
  }
}

/**
 * @param {{ progress: Progress, link: string, home: string, worker: Record<string, unknown>, begin: number }} input
 */
function announce({ progress, link, home, worker, begin }) {
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  progress.say();
  progress.say(`Ready after ${seconds} s. Open this link; it signs you in once, for 15 minutes:`);
  progress.say();
  progress.say(`  ${link}`);
  progress.say();
  if (typeof worker.backend === "string") {
    const note = typeof worker.note === "string" ? ` ${worker.note}` : "";
    progress.say(`Agents run on the backend "${worker.backend}".${note}`);
  }
  progress.say(`Data and logs: ${home}   Another link: npm run link   Stop: Ctrl-C`);
}
