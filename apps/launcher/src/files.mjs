import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";

/**
 * Puts a file in place whole or not at all: a crash or a full disk leaves the old one.
 * @param {string} path
 * @param {string} content
 * @param {number} mode permission bits
 */
export function writeFileWhole(path, content, mode) {
  const half = `${path}.half-${process.pid}`;
  try {
    const file = openSync(half, "w", mode);
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(half, path);
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
}
