import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isRunning, markOf } from "./processes.mjs";
import { codeOf } from "./refusal.mjs";

/**
 * Who holds a lock: a process, and what it says about itself.
 * @typedef {import("./processes.mjs").ProcessMark & { note?: string }} LockHolder
 */

/**
 * A held lock.
 * @typedef {object} Lock
 * @property {() => void} release removes it; harmless when called twice
 */

/**
 * Takes the lock that `file` stands for. The lock of a process that was killed is taken over.
 * @param {string} file
 * @param {string} [note] shown to whoever meets the lock
 * @returns {{ lock: Lock } | { holder: LockHolder }} `holder`: the running process that has it
 */
export function takeLock(file, note) {
  mkdirSync(dirname(file), { recursive: true });
  const self = markOf(process.pid);
  if (self === undefined) throw new Error("invariant: this process runs");
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, JSON.stringify({ ...self, note }), { mode: 0o600 });
  try {
    for (;;) {
      try {
        // A link appears with its content, and fails when the name is taken.
        linkSync(mine, file);
        return { lock: { release: () => releaseLock(file) } };
      } catch (error) {
        if (codeOf(error) !== "EEXIST") throw error;
      }
      const holder = readHolder(file);
      if (holder === "gone") continue;
      if (holder !== undefined && isRunning(holder)) return { holder };
      removeStale(file);
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/**
 * The process that holds the lock, "gone" when nobody does, undefined when the file says nothing usable.
 * @param {string} file
 * @returns {LockHolder | "gone" | undefined}
 */
export function readHolder(file) {
  try {
    const content = JSON.parse(readFileSync(file, "utf8"));
    if (typeof content?.pid !== "number" || typeof content.startTime !== "string") return undefined;
    return content;
  } catch (error) {
    return codeOf(error) === "ENOENT" ? "gone" : undefined;
  }
}

/**
 * Two processes may see the same stale file; what was moved is looked at again, so that the slower
 * one puts back the lock that the faster one has taken meanwhile.
 * @param {string} file
 */
function removeStale(file) {
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  const moved = readHolder(aside);
  if (moved !== undefined && moved !== "gone" && isRunning(moved)) {
    try {
      linkSync(aside, file);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
  }
  rmSync(aside, { force: true });
}

/** @param {string} file */
function releaseLock(file) {
  const holder = readHolder(file);
  if (holder !== undefined && holder !== "gone" && holder.pid === process.pid) {
    rmSync(file, { force: true });
  }
}
