import { closeSync, openSync, renameSync, statSync, writeSync } from "node:fs";

const LIMIT_BYTES = 8 * 1024 * 1024;

/**
 * A log that is appended to.
 * @typedef {object} LogFile
 * @property {(text: string) => void} write never throws: a full disk costs log lines, not the platform
 * @property {() => void} close
 */

/**
 * Opens a log file. Past 8 MiB it is moved to `<path>.1`, so that two files are the most it takes.
 * @param {string} path
 * @returns {LogFile}
 */
export function openLogFile(path) {
  /** @type {number | undefined} */
  let handle;
  let size = 0;
  const close = () => {
    if (handle !== undefined) closeSync(handle);
    handle = undefined;
  };
  return {
    close,
    write(text) {
      try {
        if (size > LIMIT_BYTES) {
          close();
          renameSync(path, `${path}.1`);
        }
        if (handle === undefined) {
          handle = openSync(path, "a", 0o600);
          size = statSync(path).size;
        }
        size += writeSync(handle, text);
      } catch {
        // Nowhere to write to. The next line tries again.
      }
    },
  };
}
