/** `npm start`: everything from a fresh checkout to a signed-in browser, and the ordered way back. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./prepare.mjs";
import { createProgress } from "./progress.mjs";
import { codeOf, Refusal } from "./refusal.mjs";
import { startPlatform } from "./start.mjs";

/** npm passes a Ctrl-C on that the terminal has sent already; only a later one is a second one. */
const SECOND_SIGNAL_AFTER_MS = 1200;

const progress = createProgress(process.stdout);
const abort = new AbortController();
/** @type {(() => Promise<void>)[]} what was started, in order */
const started = [];
/** @type {(() => void)[]} */
const killers = [];
let stoppingSince = 0;
/** @type {Promise<void>} */
let starting = Promise.resolve();

/** @param {number} code */
async function stopAll(code) {
  if (stoppingSince !== 0) return;
  stoppingSince = Date.now();
  abort.abort(new Refusal("The start was interrupted.", ""));
  // A step that is under way ends first, so that what it starts is known and stopped too.
  await starting.catch(() => undefined);
  for (const stop of started.reverse()) {
    await stop().catch((error) =>
      progress.say(error instanceof Error ? error.message : String(error)),
    );
  }
  process.exit(code);
}

/** @param {unknown} error */
function explain(error) {
  if (error instanceof Refusal) {
    progress.say(`\n${error.message}`);
    if (error.next !== "") progress.say(error.next);
    return;
  }
  if (codeOf(error) === "ENOSPC") {
    progress.say("\nThe disk is full.\nFree some space and start again. Nothing is lost.");
    return;
  }
  progress.say(`\n${error instanceof Error ? error.stack : String(error)}`);
}

/** @param {NodeJS.Signals} signal */
function onSignal(signal) {
  if (stoppingSince === 0) {
    progress.say(
      `\nStopping (${signal === "SIGINT" ? "Ctrl-C" : signal}). Once more to stop at once.`,
    );
    void stopAll(0);
    return;
  }
  if (Date.now() - stoppingSince < SECOND_SIGNAL_AFTER_MS) return;
  progress.say("Stopped at once.");
  for (const kill of killers) kill();
  process.exit(130);
}

function loadEnvironmentFile() {
  const file = join(ROOT, ".env");
  if (existsSync(file)) process.loadEnvFile(file);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Refusal(
      `Molecule needs Node.js 20.19 or later, and this is ${process.version}.`,
      "Install a later Node.js from https://nodejs.org",
    );
  }
  if (process.platform === "win32") {
    throw new Refusal("Molecule does not run on Windows itself.", "Start it inside WSL.");
  }
}

for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => onSignal(signal));
}
// A reader that went away (npm start | head) ends the talking, not the platform.
process.stdout.on("error", () => undefined);
process.on("uncaughtException", (error) => {
  explain(error);
  void stopAll(1);
});

try {
  checkNode();
  loadEnvironmentFile();
  starting = startPlatform({
    root: ROOT,
    env: process.env,
    progress,
    signal: abort.signal,
    onStarted: (stop, kill) => {
      started.push(stop);
      if (kill !== undefined) killers.unshift(kill);
    },
  });
  await starting;
} catch (error) {
  if (stoppingSince === 0) {
    explain(error);
    await stopAll(1);
  }
}
