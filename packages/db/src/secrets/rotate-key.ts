import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { DomainError } from "@molecule/domain/errors";
import { sql } from "drizzle-orm";
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { createCipher, ENCRYPTION_VERSION, type KeyRing, recordPrefix } from "./cipher.ts";
import { writeKeyFile } from "./key-file.ts";
import { keyRingText, type MasterKeySource, readKeyRing, tokenKeyOf } from "./key-ring.ts";
import { SEALED_COLUMNS, type SealedColumn } from "./sealed-columns.ts";

/** One rotation at a time per database. */
const LOCK = 706_063;
const PAGE = 200;
const WRITERS_POLL_MS = 200;
const WRITERS_WAIT_MS = 60_000;

/** Input of {@link rotateKey}. */
export interface RotationInput {
  /** Address of the database. */
  readonly url: string;
  /** With a given `key` nothing is made or dropped: whoever gives the keys does both. */
  readonly source: MasterKeySource;
  /** Keeps the key of tokens apart before the first new master key. */
  readonly tokenKeyFile: string;
  /** Hears how many records have been sealed anew, after each page. */
  readonly onProgress?: (moved: number) => void;
}

/** What a rotation came to. Every record that can be opened is under the new key then. */
export interface Rotation {
  /** `resumed`: one that had been broken off was finished; no further key was made. */
  readonly kind: "rotated" | "resumed";
  /** Records sealed anew, of the whole installation. */
  readonly moved: number;
  /** Records that no key opens, as `scope:KEY`; they were left alone and must be entered again. */
  readonly unreadable: readonly string[];
  /** True when the replaced keys have left the file; else whoever gives the keys may drop them. */
  readonly isDropped: boolean;
}

/**
 * Seals every record with a new master key, beside running servers and workers: they read with both keys
 * meanwhile. All state is the key file and the records, so one that was killed is finished by the next
 * call. The replaced key is dropped when nothing is left under it.
 * @throws DomainError `conflict` while another one runs; `bad_request` when a key that the environment
 *   gives has no successor in front of it; `platform_unavailable` when a writer does not end. Both keys
 *   stay then.
 */
export async function rotateKey(input: RotationInput): Promise<Rotation> {
  const client = postgres(input.url, {
    max: 1,
    connect_timeout: 10,
    onnotice: () => undefined,
    connection: { application_name: "molecule-rotate-key" },
  });
  try {
    // A session lock on the only connection: it ends with the connection, also when we are killed.
    const [lock] = await client`SELECT pg_try_advisory_lock(${LOCK}) AS is_ours`;
    if (lock?.is_ours !== true) {
      throw new DomainError("conflict", "Another rotation of the key is running.");
    }
    return await rotate(drizzle(client), input);
  } finally {
    await client.end({ timeout: 5 });
  }
}

async function rotate(db: PostgresJsDatabase, input: RotationInput): Promise<Rotation> {
  const { source, onProgress } = input;
  const isGiven = source.key !== undefined && source.key !== "";
  const before = readKeyRing(source);
  const isResumed = before.length > 1;
  if (isGiven && !isResumed) throw refusalForGivenKey();
  const ring = isResumed ? before : withNewKey(before, input);
  // Whoever seals after this does so with the new key; whoever sealed before is in a transaction that
  // is older, or has committed.
  const since = await clockOf(db);
  const tally: Tally = { moved: 0, unreadable: new Map(), onProgress };
  await sealAll(db, ring, tally);
  await untilWritersEnded(db, since);
  await sealAll(db, ring, tally);
  await refuseLeftovers(db, ring, tally);
  if (!isGiven) writeKeyFile(source.keyFile, keyRingText([ring[0]]));
  return {
    kind: isResumed && !isGiven ? "resumed" : "rotated",
    moved: tally.moved,
    unreadable: [...new Set(tally.unreadable.values())].sort(),
    isDropped: !isGiven,
  };
}

function refusalForGivenKey(): DomainError {
  return new DomainError(
    "bad_request",
    "The key comes from SECRETS_ENCRYPTION_KEY, so the new one has to come from there too.",
    {
      next: "Put a new key in front of the present one, with a comma between them, restart the platform, and run this again.",
    },
  );
}

/** The file with a new key in front. The key of tokens is set apart first, so that it stays. */
function withNewKey(before: KeyRing, { source, tokenKeyFile }: RotationInput): KeyRing {
  if (!existsSync(tokenKeyFile)) writeKeyFile(tokenKeyFile, keyRingText([tokenKeyOf(before[0])]));
  const ring: KeyRing = [randomBytes(32), ...before];
  writeKeyFile(source.keyFile, keyRingText(ring));
  return ring;
}

interface Tally {
  moved: number;
  /** The place of each record that no key opens, by the record. */
  readonly unreadable: Map<string, string>;
  readonly onProgress: ((moved: number) => void) | undefined;
}

async function sealAll(db: PostgresJsDatabase, ring: KeyRing, tally: Tally): Promise<void> {
  tally.unreadable.clear();
  for (const column of SEALED_COLUMNS) {
    let moved: number;
    // Until a walk finds nothing: one that goes by places may leave some of a place with many records.
    do {
      moved = tally.moved;
      await sealColumn(db, column, { ring, tally });
    } while (tally.moved > moved);
  }
}

interface Found extends Record<string, unknown> {
  readonly scope: string;
  readonly key: string;
  readonly record: Uint8Array;
  readonly version: number;
}

async function sealColumn(
  db: PostgresJsDatabase,
  column: SealedColumn,
  { ring, tally }: { readonly ring: KeyRing; readonly tally: Tally },
): Promise<void> {
  const cipher = createCipher(...ring);
  let after = { scope: "", key: "" };
  for (;;) {
    const page = await pageOf(db, column, { prefix: recordPrefix(ring[0]), after });
    for (const found of page) {
      const { scope, key, record } = found;
      after = { scope, key };
      const value = cipher.decrypt(found, { record, encryptionVersion: found.version });
      if (value === null) tally.unreadable.set(nameOf(column, record), `${scope}:${key}`);
      else tally.moved += await replace(db, column, found, cipher.encrypt({ scope, key }, value));
    }
    tally.onProgress?.(tally.moved);
    if (page.length < PAGE) return;
  }
}

function nameOf({ table }: SealedColumn, record: Uint8Array): string {
  return `${table} ${Buffer.from(record).toString("base64")}`;
}

/** The next records that are not under the key with this prefix, by place. */
async function pageOf(
  db: PostgresJsDatabase,
  column: SealedColumn,
  from: { readonly prefix: Uint8Array; readonly after: { scope: string; key: string } },
): Promise<readonly Found[]> {
  const record = sql.identifier(column.record);
  const version = versionOf(column);
  return await db.execute<Found>(sql`
    SELECT ${column.scope} AS scope, ${column.key} AS key, ${record} AS record, ${version} AS version
    FROM ${sql.identifier(column.table)}
    WHERE ${record} IS NOT NULL
      AND (${version} <> ${ENCRYPTION_VERSION}
        OR substring(${record} from 1 for ${from.prefix.length}) <> ${from.prefix})
      AND (${column.scope}, ${column.key}) > (${from.after.scope}, ${from.after.key})
    ORDER BY 1, 2 LIMIT ${PAGE}`);
}

function versionOf({ version }: SealedColumn) {
  return version === null ? sql.raw(`${ENCRYPTION_VERSION}`) : sql.identifier(version);
}

/**
 * Puts the record in the place of the one that was read; a value that was changed meanwhile is left as it
 * is. A statement of its own, so nobody waits for more than one row. Resolves with the rows changed.
 */
async function replace(
  db: PostgresJsDatabase,
  column: SealedColumn,
  found: Found,
  record: Uint8Array,
): Promise<number> {
  const name = sql.identifier(column.record);
  const version =
    column.version === null
      ? sql``
      : sql`, ${sql.identifier(column.version)} = ${ENCRYPTION_VERSION}`;
  const done = await db.execute(sql`
    UPDATE ${sql.identifier(column.table)} SET ${name} = ${record} ${version}
    WHERE ${column.at(found.scope, found.key)} AND ${name} = ${found.record}`);
  return done.count;
}

async function clockOf(db: PostgresJsDatabase): Promise<string> {
  const [row] = await db.execute<{ at: string }>(sql`SELECT clock_timestamp()::text AS at`);
  return row?.at ?? "";
}

/** A value is sealed in the transaction that stores it; those that are older may hold the old key. */
async function untilWritersEnded(db: PostgresJsDatabase, since: string): Promise<void> {
  const until = performance.now() + WRITERS_WAIT_MS;
  for (;;) {
    const [open] = await db.execute<{ name: string }>(sql`
      SELECT application_name AS name FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND backend_type = 'client backend' AND xact_start <= ${since}::timestamptz
      ORDER BY xact_start LIMIT 1`);
    if (open === undefined) return;
    if (performance.now() > until) {
      throw new DomainError(
        "platform_unavailable",
        `A transaction of ${open.name || "an unnamed program"} has been open since before the new key.`,
        { next: "Nothing is lost and both keys are read. Run this again when it has ended." },
      );
    }
    await pause(WRITERS_POLL_MS);
  }
}

/** Nothing that can be opened is left under another key than the first. */
async function refuseLeftovers(
  db: PostgresJsDatabase,
  ring: KeyRing,
  { unreadable }: Tally,
): Promise<void> {
  const left = (await countOutside(db, ring[0])) - unreadable.size;
  if (left <= 0) return;
  throw new DomainError("conflict", `${left} records came back under the old key.`, {
    next: "A program still seals with it: one with a copy of the key file, or of an older release. Both keys are read; end it and run this again.",
  });
}

/** How many records of the installation are not sealed by this key. */
async function countOutside(db: PostgresJsDatabase, key: Uint8Array): Promise<number> {
  const prefix = recordPrefix(key);
  let count = 0;
  for (const column of SEALED_COLUMNS) {
    const record = sql.identifier(column.record);
    const [row] = await db.execute<{ count: number }>(sql`
      SELECT count(*)::int AS count FROM ${sql.identifier(column.table)}
      WHERE ${record} IS NOT NULL
        AND (${versionOf(column)} <> ${ENCRYPTION_VERSION}
          OR substring(${record} from 1 for ${prefix.length}) <> ${prefix})`);
    count += row?.count ?? 0;
  }
  return count;
}
