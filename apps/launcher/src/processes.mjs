import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { codeOf } from "./refusal.mjs";

/**
 * A process that stays the same one when its number is used again.
 * @typedef {object} ProcessMark
 * @property {number} pid
 * @property {string} startTime opaque; equal for the same process only
 */

/**
 * When the process with this number started, as an opaque text; undefined when there is none (a
 * zombie counts as none).
 * @param {number} pid
 * @returns {string | undefined}
 */
export function startTimeOf(pid) {
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  if (process.platform === "linux") {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      // The command may hold spaces and parentheses, so fields are counted after its last ")".
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (fields[0] === "Z" || fields[0] === "X") return undefined;
      // Ticks since the boot, so they name a process only together with the boot.
      return `${fields[19]}@${readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()}`;
    } catch {
      return undefined;
    }
  }
  try {
    const line = ps(["-o", "stat=,lstart=", "-p", String(pid)]);
    return line === "" || line.startsWith("Z") ? undefined : line.replace(/^\S+\s+/, "");
  } catch {
    return undefined;
  }
}

/**
 * The mark of a running process; undefined when there is none with this number.
 * @param {number} pid
 * @returns {ProcessMark | undefined}
 */
export function markOf(pid) {
  const startTime = startTimeOf(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/**
 * True while exactly this process runs.
 * @param {ProcessMark} mark
 * @returns {boolean}
 */
export function isRunning(mark) {
  return startTimeOf(mark.pid) === mark.startTime;
}

/**
 * The command line of a process with its arguments separated by spaces, or "" when it is gone.
 * @param {number} pid
 * @returns {string}
 */
export function commandOf(pid) {
  try {
    if (process.platform === "linux") {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    }
    return ps(["-o", "command=", "-p", String(pid)]);
  } catch {
    return "";
  }
}

/** @param {string[]} args */
function ps(args) {
  return execFileSync("ps", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}

/**
 * Sends a signal to exactly this process; nothing happens when it is gone.
 * @param {ProcessMark} mark
 * @param {NodeJS.Signals} signal
 */
export function signalProcess(mark, signal) {
  if (!isRunning(mark)) return;
  try {
    process.kill(mark.pid, signal);
  } catch (error) {
    if (codeOf(error) !== "ESRCH") throw error;
  }
}

/**
 * Resolves true when the process is gone, false when it still runs after `timeoutMs`.
 * @param {ProcessMark} mark
 * @param {number} timeoutMs
 * @returns {Promise<boolean>}
 */
export async function waitUntilGone(mark, timeoutMs) {
  const deadline = Date.now() + timeoutMs;
  while (isRunning(mark)) {
    if (Date.now() >= deadline) return false;
    await pause(15);
  }
  return true;
}
