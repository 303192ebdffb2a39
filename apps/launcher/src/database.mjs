import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import postgres from "postgres";
import { codeOf, Refusal } from "./refusal.mjs";

/** Source: architecture decision 1. */
const LEAST_MAJOR = 15;
/** A database that is started together with us needs a moment. */
const PATIENCE_MS = 10_000;

/**
 * A connection for a few statements; ends itself.
 * @template T
 * @param {string} url
 * @param {(sql: postgres.Sql) => Promise<T>} work
 * @returns {Promise<T>}
 */
async function withConnection(url, work) {
  const sql = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => undefined });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 2 });
  }
}

/**
 * The server behind DATABASE_URL answers and is new enough. Waits for one that is just starting.
 * @param {string} url
 * @param {{ note?: (text: string) => void, signal?: AbortSignal, patienceMs?: number }} [options]
 * @returns {Promise<string>} its version, for example "16.4"
 * @throws {Refusal}
 */
export async function checkServer(url, options = {}) {
  const where = describeUrl(url);
  const deadline = Date.now() + (options.patienceMs ?? PATIENCE_MS);
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      const [row] = await withConnection(
        url,
        (sql) => sql`SELECT current_setting('server_version_num')::int AS number,
          current_setting('server_version') AS version`,
      );
      const major = Math.floor(Number(row?.number) / 10_000);
      if (major >= LEAST_MAJOR) return String(row?.version).split(" ")[0] ?? "";
      throw new Refusal(
        `The database at ${where} is Postgres ${row?.version}, and Molecule needs ${LEAST_MAJOR} or later.`,
        "Upgrade it, or unset DATABASE_URL to use the embedded one.",
      );
    } catch (error) {
      if (error instanceof Refusal) throw error;
      if (!mayPass(error) || Date.now() > deadline) throw refusalForConnection(error, where);
      options.note?.(`no answer yet from ${where}`);
      await pause(500);
    }
  }
}

/**
 * Host, port and database of a connection URL, without user and password.
 * @param {string} url
 * @returns {string}
 * @throws {Refusal} when it is no such URL
 */
export function describeUrl(url) {
  try {
    const parsed = new URL(url);
    if (!/^postgres(ql)?:$/.test(parsed.protocol)) throw new Error("not a Postgres URL");
    return `${parsed.hostname || "localhost"}:${parsed.port || "5432"}${parsed.pathname}`;
  } catch {
    // The cause would show the password.
    throw new Refusal(
      "DATABASE_URL is not an address of a Postgres database.",
      "It looks like postgres://USER:PASSWORD@HOST:5432/DATABASE, with special characters of the password percent-encoded.",
    );
  }
}

/** @param {unknown} error */
function mayPass(error) {
  return [
    "ECONNREFUSED",
    "ECONNRESET",
    "CONNECT_TIMEOUT",
    "CONNECTION_CLOSED",
    "EAI_AGAIN",
    "57P03",
    "53300",
  ].includes(codeOf(error));
}

/**
 * @param {unknown} error
 * @param {string} where
 */
function refusalForConnection(error, where) {
  const code = codeOf(error);
  const next = "Correct DATABASE_URL, or unset it to use the embedded Postgres.";
  switch (code) {
    case "28P01":
    case "28000":
      return new Refusal(`The database at ${where} refuses this user or password.`, next, error);
    case "3D000":
      return new Refusal(
        `The database at ${where} does not exist on that server.`,
        "Create it, or correct DATABASE_URL.",
        error,
      );
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new Refusal(`The host of the database at ${where} is not known.`, next, error);
    default:
      return new Refusal(
        `The database at ${where} does not answer${code && ` (${code})`}.`,
        `Start it. ${next}`,
        error,
      );
  }
}

/**
 * What `packages/db` answers; it is bundled beside the server, because this program is not built.
 * @typedef {{ kind: "migrated", applied: number } | { kind: "current" } | { kind: "newer", unknown: number }} MigrateResult
 */

/**
 * The database has the schema of this release.
 * @param {string} url
 * @param {string} root the checkout, built
 * @returns {Promise<number>} how many migrations were applied
 * @throws {Refusal} when the schema is newer, or a migration fails
 */
export async function migrateDatabase(url, root) {
  /** @type {{ migrate: (input: { url: string, folder: string }) => Promise<MigrateResult> }} */
  const { migrate } = await import(pathToFileURL(join(root, "apps/server/dist/migrate.js")).href);
  const result = await migrate({ url, folder: join(root, "drizzle") }).catch((error) => {
    throw refusalForMigration(error);
  });
  if (result.kind === "newer") {
    throw new Refusal(
      `The database was used by a newer release of Molecule (${result.unknown} migrations that this one does not have).`,
      "Start that release, or a later one. Nothing was changed.",
    );
  }
  return result.kind === "migrated" ? result.applied : 0;
}

/** @param {unknown} error */
function refusalForMigration(error) {
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const said = reason instanceof Error ? reason.message : String(reason);
  if (codeOf(reason) === "53100") {
    return new Refusal("The database's disk is full.", "Free some space and start again.", error);
  }
  if (codeOf(reason) === "42501") {
    return new Refusal(
      `The database user may not create what Molecule needs (${said}).`,
      "Make it the owner of the database.",
      error,
    );
  }
  return new Refusal(
    `The database could not be brought up to date: ${said}.`,
    "Nothing was changed. Start again; if it stays, report it.",
    error,
  );
}
