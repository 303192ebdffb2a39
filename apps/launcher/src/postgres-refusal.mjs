import { Refusal } from "./refusal.mjs";

/**
 * A sentence for what Postgres wrote on its error output.
 * @param {string} stderr
 * @param {string} what
 * @param {unknown} cause
 * @returns {Refusal}
 */
export function refusalFor(stderr, what, cause) {
  const line = stderr
    .split("\n")
    .map((text) => /(?:FATAL|PANIC|error|ERROR):\s*(.+)$/.exec(text)?.[1])
    .find((text) => text !== undefined);
  const said = line ?? stderr.trim().split("\n").at(-1) ?? "";
  if (/No space left on device|Disk quota exceeded/i.test(stderr)) {
    return new Refusal(`${what}: the disk is full.`, "Free some space and start again.", cause);
  }
  if (
    /could not load|shared libraries|cannot open shared object|not found \(required by/i.test(
      stderr,
    )
  ) {
    return new Refusal(
      `${what}: a system library is missing (${said}).`,
      "Install it, or set DATABASE_URL to a Postgres 15 or later.",
      cause,
    );
  }
  if (/shared memory|semaphore/i.test(stderr)) {
    return new Refusal(
      `${what}: the system gives it no shared memory (${said}).`,
      "Give this machine or container more shared memory, or set DATABASE_URL to a Postgres 15 or later.",
      cause,
    );
  }
  return new Refusal(
    said === "" ? `${what}, and it did not say why.` : `${what}: ${said}.`,
    "The file logs/postgres.log in the data folder has the details.",
    cause,
  );
}
