import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Places } from "./places.ts";

/** What the platform remembers of an instance, so that another worker finds and adopts it. */
export interface InstanceRecord {
  readonly attemptNo: number;
  readonly port: number;
  /** Null until the process was started. */
  readonly pid: number | null;
  readonly startTime: string | null;
  /** "exit code 1", "signal SIGKILL"; null while it runs or when nobody saw its end. */
  readonly exit: string | null;
}

const FILE = /^attempt-(\d+)\.json$/;
const fileOf = (places: Places, attemptNo: number) =>
  path.join(places.run, `attempt-${attemptNo}.json`);

/** Where an instance's output goes. */
export function logFileOf(places: Places, attemptNo: number): string {
  return path.join(places.run, `attempt-${attemptNo}.log`);
}

/** The record; null when there is none, or a half one that a full disk left. */
export async function readRecord(
  places: Places,
  attemptNo: number,
): Promise<InstanceRecord | null> {
  try {
    const text = await readFile(fileOf(places, attemptNo), "utf8");
    return { exit: null, pid: null, startTime: null, ...JSON.parse(text), attemptNo };
  } catch {
    return null;
  }
}

/** Stores the record as a whole: a reader sees the old one or the new one. */
export async function writeRecord(places: Places, record: InstanceRecord): Promise<void> {
  await mkdir(places.run, { recursive: true, mode: 0o700 });
  const file = fileOf(places, record.attemptNo);
  const half = `${file}.${process.pid}.half`;
  await writeFile(half, JSON.stringify(record), { mode: 0o600 });
  await rename(half, file);
}

/**
 * Stores how the instance ended, in the file that is there: one that is being removed at this moment
 * does not come back. The text only grows, so that nothing of the old one is left behind it.
 */
export async function completeRecord(places: Places, record: InstanceRecord): Promise<void> {
  const file = await open(fileOf(places, record.attemptNo), "r+").catch(() => null);
  if (file === null) return;
  try {
    await file.write(JSON.stringify(record), 0);
  } finally {
    await file.close();
  }
}

/** Forgets the instance; its log stays. */
export async function removeRecord(places: Places, attemptNo: number): Promise<void> {
  await rm(fileOf(places, attemptNo), { force: true });
}

/** Numbers of all recorded attempts, ascending; empty for an unknown workspace. */
export async function recordedAttempts(places: Places): Promise<readonly number[]> {
  const names = await readdir(places.run).catch(() => []);
  return names
    .flatMap((name) => {
      const number = FILE.exec(name)?.[1];
      return number === undefined ? [] : [Number(number)];
    })
    .sort((a, b) => a - b);
}
