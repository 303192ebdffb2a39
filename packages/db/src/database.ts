import { setTimeout as delay } from "node:timers/promises";
import { DomainError } from "@molecule/domain/errors";
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { prepareRepeated } from "./prepared-statements.ts";

/** Drizzle over postgres.js; inside `packages/db` only. */
export type Orm = PostgresJsDatabase;

declare const handle: unique symbol;
/** Something queries run on: the pool or an open transaction. Opaque outside this package. */
export interface Queryable {
  readonly [handle]: "queryable";
}
/** An open transaction. Functions that must not run outside one take this type. */
export interface Transaction extends Queryable {
  readonly isTransaction: true;
}
/** Options of {@link openDatabase}. */
export interface DatabaseOptions {
  readonly url: string;
  /** Connections of the pool. Default 10. */
  readonly maxConnections?: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** A statement running longer fails. Default 30 000 ms. */
  readonly statementTimeoutMs?: number;
  /**
   * Hears why an event that is being told is not as its schema says; it is told all the same. Absent: it
   * is not told and its transaction fails, so that no test passes with a wrong one.
   */
  readonly onWrongEvent?: (problem: string) => void;
  /** Hears the text of every statement that is sent, never its values; for tests that count. */
  readonly onStatement?: (text: string) => void;
}

const orms = new WeakMap<object, Orm>();
const pools = new WeakMap<object, postgres.Sql>();
/** Channels to notify once the transaction has committed. */
const announcements = new WeakMap<object, Set<string>>();
const wrongEvents = new WeakMap<object, (problem: string) => void>();

/** The drizzle handle of a pool or transaction; for repositories in this package. */
export function ormOf(queryable: Queryable): Orm {
  const orm = orms.get(queryable);
  if (orm === undefined) throw new Error("invariant: not a handle of this database");
  return orm;
}

/** What is done about an event in this transaction that is not as its schema says. */
export function wrongEventOf(tx: Transaction): (problem: string) => void {
  return wrongEvents.get(tx) ?? refuseEvent;
}

function refuseEvent(problem: string): never {
  throw new Error(`invariant: an event is told as its schema says: ${problem}`);
}

/**
 * Notifies `channel`, without a payload, after the commit. Inside a transaction a NOTIFY has every other
 * one of the whole database wait for its commit to reach the disk; here a burst of commits costs few of
 * them. A hint that is lost with its process is made up for by the poll.
 */
export function announceAfterCommit(tx: Transaction, channel: string): void {
  const announced = announcements.get(tx);
  if (announced === undefined) throw new Error("invariant: not a transaction of this database");
  announced.add(channel);
}

/** Between two notifications of a channel, in ms: a hint may be this late, and nothing is lost by it. */
const ANNOUNCE_EVERY_MS = 25;

/** The pool: owns its connections until {@link Database.close}. */
export class Database implements Queryable {
  declare readonly [handle]: "queryable";
  readonly #sql: postgres.Sql;
  readonly #orm: Orm;
  readonly #onWrongEvent: (problem: string) => void;
  /** Channels whose notification is on its way, and whether another one has to follow. */
  readonly #notifying = new Map<string, boolean>();

  constructor(options: DatabaseOptions) {
    this.#onWrongEvent = options.onWrongEvent ?? refuseEvent;
    const { onStatement } = options;
    this.#sql = postgres(options.url, {
      max: options.maxConnections ?? 10,
      idle_timeout: 60,
      connect_timeout: 10,
      // The default waits up to 20 s after an outage; a request would wait as long for its 503.
      backoff: (retries) => Math.min(0.05 * 2 ** retries, 1),
      onnotice: () => undefined,
      ...(onStatement === undefined
        ? {}
        : { debug: (_connection: number, text: string) => onStatement(text) }),
      connection: {
        application_name: options.applicationName,
        statement_timeout: options.statementTimeoutMs ?? 30_000,
        idle_in_transaction_session_timeout: 30_000,
      },
    });
    prepareRepeated(this.#sql);
    this.#orm = drizzle(this.#sql);
    orms.set(this, this.#orm);
    pools.set(this, this.#sql);
  }

  /** Runs `work` in one transaction; a throw rolls back. */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const announced = new Set<string>();
    const result = await this.#orm.transaction(async (orm) => {
      const tx = { isTransaction: true } as Transaction;
      orms.set(tx, orm as unknown as Orm);
      wrongEvents.set(tx, this.#onWrongEvent);
      announcements.set(tx, announced);
      return await work(tx);
    });
    for (const channel of announced) this.announce(channel);
    return result;
  }

  /**
   * Notifies `channel` of what a statement of its own has committed; as {@link announceAfterCommit}. At
   * once, then one for all that is asked for until it is done and {@link ANNOUNCE_EVERY_MS} are over: each
   * is a commit of its own that reaches the disk. Nobody waits for it.
   */
  announce(channel: string): void {
    if (this.#notifying.has(channel)) {
      this.#notifying.set(channel, true);
      return;
    }
    void this.#notify(channel);
  }

  async #notify(channel: string): Promise<void> {
    this.#notifying.set(channel, false);
    const pause = delay(ANNOUNCE_EVERY_MS, undefined, { ref: false });
    await this.#sql.notify(channel, "").catch(() => undefined);
    await pause;
    const isAskedAgain = this.#notifying.get(channel) === true;
    this.#notifying.delete(channel);
    if (isAskedAgain) this.announce(channel);
  }

  /**
   * Calls `onHint` for each notification on `channel`, and once after each (re)connect. A hint only:
   * whoever listens also polls. Resolves with the function that ends it.
   */
  async listen(channel: string, onHint: (payload: string) => void): Promise<() => Promise<void>> {
    const subscription = await this.#sql.listen(channel, onHint, () => onHint(""));
    return async () => {
      await subscription.unlisten();
    };
  }

  /** Ends all connections, waiting at most five seconds for running statements. */
  async close(): Promise<void> {
    await this.#sql.end({ timeout: 5 });
  }
}

/** Opens a pool; connects with the first query. */
export function openDatabase(options: DatabaseOptions): Database {
  return new Database(options);
}

/** Runs `work` and turns a lost connection into `platform_unavailable`; other errors pass. */
export async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isConnectionError(error)) {
      throw new DomainError("platform_unavailable", "The database cannot be reached right now.", {
        next: "Nothing is lost. Try again in a moment.",
        cause: error,
      });
    }
    throw error;
  }
}

const CONNECTION_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "EPIPE",
  "ETIMEDOUT",
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "57P01",
  "57P02",
  "57P03",
  "53300",
  "08000",
  "08003",
  "08006",
]);

/** True when the database was not reachable, also where drizzle wrapped the error. */
export function isConnectionError(error: unknown): boolean {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; depth += 1) {
    const code = "code" in current ? String(current.code) : "";
    if (CONNECTION_CODES.has(code)) return true;
    current = current.cause;
  }
  return false;
}

/** True when the database has no room left for what was written. Nothing of the write remains. */
export function isOutOfDisk(error: unknown): boolean {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; depth += 1) {
    if ("code" in current && current.code === "53100") return true;
    current = current.cause;
  }
  return false;
}

/** True for a unique violation, optionally of one named constraint. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; depth += 1) {
    if ("code" in current && current.code === "23505") {
      const name = "constraint_name" in current ? current.constraint_name : undefined;
      return constraint === undefined || name === constraint;
    }
    current = current.cause;
  }
  return false;
}

/** True when Postgres gave up a transaction in favour of another one: the same may be tried again. */
export function isRetryableConflict(error: unknown): boolean {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; depth += 1) {
    const code = "code" in current ? current.code : "";
    if (code === "40P01" || code === "40001" || code === "55P03") return true;
    current = current.cause;
  }
  return false;
}
