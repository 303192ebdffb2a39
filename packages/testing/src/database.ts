import { randomBytes } from "node:crypto";
import { type Database, openDatabase } from "@molecule/db/database";
import postgres from "postgres";
import { inject } from "vitest";
import type {} from "./global-setup.ts";
import { waitUntil } from "./wait-until.ts";

/** A database of its own, cloned from the migrated template. Dropped on disposal. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly db: Database;
  /** Plain SQL for arranging and asserting. */
  readonly sql: postgres.Sql;
  /** Moves `cp_now()` by this many milliseconds, counted from the real clock. */
  setSkewMs(ms: number): Promise<void>;
  /**
   * Resolves when the event log can be read up to here. It is read below the oldest running transaction
   * of the server, which may be another test's.
   */
  logReadable(): Promise<void>;
  close(): Promise<void>;
}

/** Clones the template; takes about 50 ms. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject("postgresUrl");
  const name = `test_${randomBytes(6).toString("hex")}`;
  await onServer(server, `CREATE DATABASE ${name} TEMPLATE molecule_template`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const db = openDatabase({ url: url.href, applicationName: "test", maxConnections: 8 });
  const sql = postgres(url.href, { max: 4, onnotice: () => undefined });
  const close = async () => {
    await db.close();
    await sql.end({ timeout: 2 });
    await onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  };
  return {
    url: url.href,
    db,
    sql,
    close,
    setSkewMs: async (ms) => {
      await sql.unsafe(`CREATE OR REPLACE FUNCTION cp_now() RETURNS timestamptz LANGUAGE sql VOLATILE
        AS $$ SELECT clock_timestamp() + ${Math.round(ms)} * interval '1 millisecond' $$`);
    },
    logReadable: async () => {
      const [now] = await sql`SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xmax`;
      await waitUntil("older transactions have ended", async () => {
        const [row] = await sql`
          SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= ${now?.xmax}::bigint AS ok`;
        return row?.ok === true;
      });
    },
    [Symbol.asyncDispose]: close,
  };
}

/** Serialised by an advisory lock: two clones of one template at once make Postgres refuse one. */
async function onServer(server: string, statement: string): Promise<void> {
  const admin = postgres(server, { max: 1, onnotice: () => undefined });
  try {
    await admin`SELECT pg_advisory_lock(706061)`;
    await admin.unsafe(statement);
  } finally {
    await admin.end();
  }
}
