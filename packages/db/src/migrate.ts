import { readFile } from "node:fs/promises";
import path from "node:path";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate as applyMigrations } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";

/** Input of {@link migrate}. */
export interface MigrateInput {
  readonly url: string;
  /** The folder `drizzle/` of this release. */
  readonly folder: string;
}

/** What {@link migrate} did. Nothing was changed unless `kind` is `migrated`. */
export type MigrateResult =
  | { readonly kind: "migrated"; readonly applied: number }
  | { readonly kind: "current" }
  /** The database was migrated by a newer release, by this many migrations that we do not have. */
  | { readonly kind: "newer"; readonly unknown: number };

/** One migrator at a time per database. */
const LOCK = 706_060;

/**
 * The database has the schema of this release, unless it is of a newer one. Safe to run from several
 * processes at once: they take turns.
 * @throws what Postgres or the network says; an applied part of the migrations is rolled back.
 */
export async function migrate({ url, folder }: MigrateInput): Promise<MigrateResult> {
  const sql = postgres(url, {
    max: 1,
    connect_timeout: 10,
    onnotice: () => undefined,
    connection: { application_name: "molecule-migrate" },
  });
  try {
    // A session lock on the only connection: it ends with the connection, also when we are killed.
    await sql`SELECT pg_advisory_lock(${LOCK})`;
    const known = await knownTimes(folder);
    const before = await appliedTimes(sql);
    const unknown = before.filter((time) => !known.has(time)).length;
    if (unknown > 0) return { kind: "newer", unknown };
    if (before.length === known.size) return { kind: "current" };
    await applyMigrations(drizzle(sql), { migrationsFolder: folder });
    return { kind: "migrated", applied: known.size - before.length };
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** The journal's `when` values: drizzle's identity of a migration, stored as `created_at`. */
async function knownTimes(folder: string): Promise<Set<number>> {
  const journal: unknown = JSON.parse(
    await readFile(path.join(folder, "meta", "_journal.json"), "utf8"),
  );
  const entries = (journal as { entries: { when: number }[] }).entries;
  return new Set(entries.map((entry) => entry.when));
}

async function appliedTimes(sql: postgres.Sql): Promise<number[]> {
  const [table] = await sql`SELECT to_regclass('drizzle.__drizzle_migrations') AS name`;
  if (table?.name === null) return [];
  const rows = await sql`SELECT created_at FROM drizzle.__drizzle_migrations`;
  return rows.map((row) => Number(row.created_at));
}
