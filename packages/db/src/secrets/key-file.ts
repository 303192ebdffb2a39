import {
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

/**
 * Puts a file of keys in place whole or not at all, readable by its owner alone. The owner stays who it
 * was, or becomes that of the folder, whoever runs this. It is on the disk when this returns.
 */
export function writeKeyFile(file: string, text: string): void {
  const half = `${file}.half-${process.pid}`;
  try {
    const handle = openSync(half, "w", 0o600);
    try {
      writeFileSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    const folder = path.dirname(file);
    if (process.getuid?.() === 0) {
      const { uid, gid } = statSync(file, { throwIfNoEntry: false }) ?? statSync(folder);
      chownSync(half, uid, gid);
    }
    renameSync(half, file);
    syncFolder(folder);
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
}

/** The new name of the file outlives a power cut. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
