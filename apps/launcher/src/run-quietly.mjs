import { spawn } from "node:child_process";
import { Refusal } from "./refusal.mjs";

/**
 * A program that runs without showing its output.
 * @typedef {object} QuietCommand
 * @property {string} title the sentence when it fails
 * @property {string} next
 * @property {string} file
 * @property {string[]} args
 * @property {string} root
 * @property {AbortSignal | undefined} signal
 * @property {Record<string, string>} env
 * @property {(line: string) => boolean} [isTold] which lines are shown when it fails; absent: all
 */

/** Lines that are shown when a command fails. */
const TAIL_LINES = 40;

/**
 * Runs a program to its end. Its last lines are shown only when it fails.
 * @param {QuietCommand} command
 * @param {(line: string) => void} onLine
 * @returns {Promise<void>}
 * @throws {Refusal} with those lines
 */
export async function runQuietly(command, onLine) {
  const { file, args, root, env, signal } = command;
  const child = spawn(file, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // Its own group, so that an interrupted start ends what it started, grandchildren included.
    detached: true,
  });
  /** @type {string[]} */
  const tail = [];
  /** @param {Buffer} chunk */
  const hear = (chunk) => {
    for (const line of chunk.toString("utf8").split("\n")) {
      if (line.trim() === "") continue;
      onLine(line);
      if (command.isTold?.(line) === false) continue;
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
    }
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  const interrupt = () => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
  };
  signal?.addEventListener("abort", interrupt, { once: true });
  /** @type {number | string | Error} */
  const outcome = await new Promise((done) => {
    child.once("error", done);
    child.once("close", (code, killer) => done(code ?? killer ?? 1));
  });
  signal?.removeEventListener("abort", interrupt);
  signal?.throwIfAborted();
  if (outcome === 0) return;
  if (outcome instanceof Error)
    throw new Refusal(`${command.title}: ${outcome.message}.`, command.next);
  throw new Refusal(`${tail.join("\n")}\n\n${command.title} (${outcome}).`, command.next);
}
