import { constants } from "node:fs";
import { copyFile, open, readdir, rm, stat, truncate } from "node:fs/promises";
import path from "node:path";
import type { Places } from "./places.ts";
import { logFileOf } from "./records.ts";

/** An instance's log is cut when it grows past this; the part before it is kept once. */
export const MAX_LOG_BYTES = 5 * 1024 * 1024;
/** Logs of this many attempts are kept. */
const KEPT_LOGS = 3;
/** Most bytes read for the last lines. */
const TAIL_BYTES = 512 * 1024;
const LOG = /^attempt-(\d+)\.log$/;

/** Opens the log for appending: cutting it under a running process leaves no hole. */
export async function openLog(places: Places, attemptNo: number) {
  await dropOldLogs(places, attemptNo);
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants;
  return await open(
    logFileOf(places, attemptNo),
    O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW,
    0o600,
  );
}

async function dropOldLogs(places: Places, current: number): Promise<void> {
  for (const no of await loggedAttempts(places)) {
    if (no > current - KEPT_LOGS) continue;
    await rm(logFileOf(places, no), { force: true });
    await rm(`${logFileOf(places, no)}.1`, { force: true });
  }
}

async function loggedAttempts(places: Places): Promise<readonly number[]> {
  const names = await readdir(places.run).catch(() => []);
  return names.flatMap((name) => {
    const number = LOG.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

/** Keeps a log within its bound; what was written before the cut is in `<log>.1`. */
export async function boundLog(places: Places, attemptNo: number): Promise<void> {
  const file = logFileOf(places, attemptNo);
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= MAX_LOG_BYTES) return;
  await copyFile(file, `${file}.1`);
  await truncate(file, 0);
}

/** The last lines of an attempt's output, of the newest when `attemptNo` is null. Empty when none. */
export async function tailLog(
  places: Places,
  attemptNo: number | null,
  lines: number,
): Promise<readonly string[]> {
  const no = attemptNo ?? Math.max(0, ...(await loggedAttempts(places)));
  const file = logFileOf(places, no);
  const current = await tailBytes(file);
  const text = current.length < TAIL_BYTES / 4 ? (await tailBytes(`${file}.1`)) + current : current;
  return text
    .split(/\r?\n/)
    .filter((line) => line !== "")
    .slice(-lines);
}

async function tailBytes(file: string): Promise<string> {
  const handle = await open(path.resolve(file), "r").catch(() => null);
  if (handle === null) return "";
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, TAIL_BYTES);
    const buffer = Buffer.alloc(length);
    await handle.read(buffer, 0, length, size - length);
    return buffer.toString("utf8");
  } finally {
    await handle.close();
  }
}
