import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { writeFileWhole } from "./files.mjs";
import { openLogFile } from "./log-file.mjs";
import { commandOf, isRunning, markOf, signalProcess, waitUntilGone } from "./processes.mjs";
import { codeOf, Refusal } from "./refusal.mjs";

/**
 * @typedef {object} ChildOptions
 * @property {string} name shown to people: "server", "worker"
 * @property {string} script absolute path of the program
 * @property {NodeJS.ProcessEnv} env
 * @property {string} home its log and its mark are below
 * @property {(line: string) => void} say
 * @property {number} [readyTimeoutMs] default 60 000
 * @property {number} [timeScale] multiplies the waits before it is started again; below 1 in tests
 */

/**
 * A program that is kept running.
 * @typedef {object} SupervisedChild
 * @property {Promise<Record<string, unknown>>} ready its first ready line; rejects with a {@link Refusal} when
 *   it does not come
 * @property {(timeoutMs: number) => Promise<void>} stop asks it to end, and ends it after `timeoutMs`
 * @property {() => void} kill ends it at once
 * @property {() => number | undefined} pid absent between two runs
 */

const FIRST_BACKOFF_MS = 500;
/** A run this long was a healthy one: the next crash starts with the first backoff again. */
const HEALTHY_MS = 60_000;
const LAST_BACKOFF_MS = 30_000;
/** Node's default young generation costs each program 25 MB that it never gives back; with half of this, a busy server spends a tenth of its time collecting. */
const NODE_FLAGS = ["--max-semi-space-size=8"];
/** A program that never became ready is not started more often than this. */
const TRIES_BEFORE_READY = 3;

/**
 * Starts a program and starts it again whenever it ends by itself.
 * @param {ChildOptions} options
 * @returns {SupervisedChild}
 */
export function superviseChild(options) {
  const { name, home, say } = options;
  const log = openLogFile(join(home, "logs", `${name}.log`));
  const markFile = join(home, "run", `${name}.json`);
  const timeScale = options.timeScale ?? 1;
  const firstBackoffMs = FIRST_BACKOFF_MS * timeScale;
  let backoffMs = firstBackoffMs;
  let failures = 0;
  let isStopping = false;
  let wasReady = false;
  /** @type {import("node:child_process").ChildProcess | undefined} */
  let child;
  /** @type {NodeJS.Timeout | undefined} */
  let restart;
  /** @type {(line: Record<string, unknown>) => void} */
  let onReady = () => undefined;
  /** @type {(error: Error) => void} */
  let onFailure = () => undefined;
  /** @type {Promise<Record<string, unknown>>} */
  const ready = new Promise((resolve, reject) => {
    onReady = resolve;
    onFailure = reject;
  });
  // Whoever stops before it is ready does not look at it any more.
  ready.catch(() => undefined);
  const deadline = setTimeout(() => {
    onFailure(
      new Refusal(
        `The ${name} did not become ready in time.`,
        `The file logs/${name}.log in the data folder has the details.`,
      ),
    );
  }, options.readyTimeoutMs ?? 60_000);

  const run = () => {
    const begin = Date.now();
    const running = spawn(process.execPath, [...NODE_FLAGS, options.script], {
      cwd: home,
      env: options.env,
      // Its own session: Ctrl-C reaches the launcher alone, which then stops everything in order. The
      // pipe on stdin is never written to; its end tells the program that the launcher is gone.
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    child = running;
    running.stdin.on("error", () => undefined);
    const mark = running.pid === undefined ? undefined : markOf(running.pid);
    if (mark !== undefined) writeMark(markFile, { ...mark, script: options.script });
    const reader = createReader({ name, say, log: log.write }, (line) => {
      wasReady = true;
      clearTimeout(deadline);
      onReady(line);
    });
    createInterface({ input: running.stdout }).on("line", reader.hear);
    createInterface({ input: running.stderr }).on("line", reader.hear);
    running.once("error", (error) => reader.hear(error.message));
    running.once("close", (code, signal) => {
      child = undefined;
      rmSync(markFile, { force: true });
      if (isStopping) return;
      const how = signal === null ? `exit code ${code}` : signal;
      const why = reader.lastWords();
      failures += 1;
      const isHopeless =
        !wasReady && (failures >= TRIES_BEFORE_READY || reader.fatal() !== undefined);
      if (isHopeless) {
        onFailure(reader.fatal() ?? refusalForEnd(name, how, why));
        return;
      }
      if (Date.now() - begin > HEALTHY_MS * timeScale) backoffMs = firstBackoffMs;
      say(
        `The ${name} ended (${how}${why && `: ${why}`}). Starting it again in ${backoffMs / 1000} s.`,
      );
      restart = setTimeout(run, backoffMs);
      backoffMs = Math.min(backoffMs * 2, LAST_BACKOFF_MS * timeScale);
    });
  };
  run();

  return {
    ready,
    pid: () => child?.pid,
    kill: () => {
      isStopping = true;
      clearTimeout(restart);
      clearTimeout(deadline);
      child?.kill("SIGKILL");
    },
    stop: async (timeoutMs) => {
      isStopping = true;
      clearTimeout(restart);
      clearTimeout(deadline);
      const running = child;
      if (running !== undefined) {
        await endChild(running, timeoutMs, () =>
          say(`The ${name} did not end in ${timeoutMs / 1000} s and was killed.`),
        );
      }
      log.close();
    },
  };
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {number} timeoutMs
 * @param {() => void} onKill
 * @returns {Promise<void>}
 */
function endChild(child, timeoutMs, onKill) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      onKill();
      child.kill("SIGKILL");
    }, timeoutMs);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    if (child.exitCode !== null || child.signalCode !== null) return done();
    child.once("exit", done);
    child.kill("SIGTERM");
  });
}

/**
 * @param {string} name
 * @param {string} how
 * @param {string} why
 */
function refusalForEnd(name, how, why) {
  return new Refusal(
    `The ${name} ends right after its start (${how})${why && `: ${why}`}`,
    `The file logs/${name}.log in the data folder has the details.`,
  );
}

/**
 * @param {string} file
 * @param {unknown} content
 */
function writeMark(file, content) {
  try {
    writeFileWhole(file, JSON.stringify(content), 0o600);
  } catch (error) {
    // Without it a killed launcher's program ends by its pipe alone, which is the usual way.
    if (!["ENOSPC", "EDQUOT", "ENOENT"].includes(codeOf(error))) throw error;
  }
}

/** Shown per ten seconds; the rest is in the log. */
const SHOWN_LINES = 5;
const SHOWN_WINDOW_MS = 10_000;
/** pino's number for "warn". Source: https://getpino.io/#/docs/api?id=levels */
const WARN = 40;

/**
 * Understands what a program prints: its ready line, warnings, and what it could not go on for.
 * @param {{ name: string, say: (line: string) => void, log: (text: string) => void }} output
 * @param {(line: Record<string, unknown>) => void} onReady
 */
export function createReader({ name, say, log }, onReady) {
  let last = "";
  let shown = 0;
  let windowStart = 0;
  /** @type {Refusal | undefined} */
  let fatal;
  /** @param {string} text */
  const show = (text) => {
    if (Date.now() - windowStart > SHOWN_WINDOW_MS) {
      windowStart = Date.now();
      shown = 0;
    }
    shown += 1;
    if (shown <= SHOWN_LINES) say(`${name}: ${text}`);
    if (shown === SHOWN_LINES) say(`${name}: more of this is in logs/${name}.log`);
  };
  return {
    fatal: () => fatal,
    /** The latest line that can explain an end; "" when there is none. */
    lastWords: () => last,
    /** @param {string} line */
    hear(line) {
      if (line.trim() === "") return;
      log(`${line}\n`);
      const record = parseRecord(line);
      if (record === undefined) {
        // A stack is in the log; its first line is what tells most.
        if (/^\S*Error\b/.test(line) || last === "") last = line.trim().slice(0, 300);
        return;
      }
      if (record.ready === true) onReady(record);
      if (record.fatal === true) {
        fatal = new Refusal(String(record.error ?? "It cannot start."), String(record.next ?? ""));
      }
      if (typeof record.level === "number" && record.level >= WARN) {
        last = String(record.msg ?? "").slice(0, 300);
        show(last);
      }
    },
  };
}

/**
 * @param {string} line
 * @returns {Record<string, unknown> | undefined}
 */
function parseRecord(line) {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/**
 * Ends what a killed launcher left running. Only a process with the recorded number, start time and
 * program is touched.
 * @param {string} home
 * @param {string} name
 * @param {(line: string) => void} say
 */
export async function endLeftover(home, name, say) {
  const file = join(home, "run", `${name}.json`);
  if (!existsSync(file)) return;
  const record = parseRecord(readFileSync(file, "utf8"));
  const mark = /** @type {import("./processes.mjs").ProcessMark & { script: string }} */ (record);
  if (record !== undefined && isRunning(mark) && commandOf(mark.pid).includes(mark.script)) {
    say(`A ${name} of an earlier start still runs (process ${mark.pid}); ending it.`);
    // Not SIGTERM: that would also stop the agents, which this start adopts.
    if (!(await waitUntilGone(mark, 3000))) signalProcess(mark, "SIGKILL");
    await waitUntilGone(mark, 5000);
  }
  rmSync(file, { force: true });
}
