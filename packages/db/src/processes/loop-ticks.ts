import type { ProcessKind } from "@molecule/domain/sets";
import { sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";

/** A round that ended `agoMs` before now. */
export interface LoopTick {
  readonly loop: string;
  readonly everyMs: number;
  readonly agoMs: number;
}

/** A loop of a process as everybody sees it. */
export interface LoopAge {
  readonly processId: string;
  readonly processKind: ProcessKind;
  readonly loop: string;
  readonly everyMs: number;
  readonly lastTickAt: Date;
  readonly secondsAgo: number;
}

/** A row of a process that is gone is kept until another one has taken over, and so long after. */
const KEPT_AFTER_SECONDS = 600;

/** Stores the last rounds of one process in one statement. */
export async function storeLoopTicks(
  q: Queryable,
  process: { readonly id: string; readonly kind: ProcessKind },
  ticks: readonly LoopTick[],
): Promise<void> {
  if (ticks.length === 0) return;
  const rows = ticks.map(
    ({ loop, everyMs, agoMs }) =>
      sql`(${process.id}, ${process.kind}::process_kind, ${loop}, ${Math.round(everyMs)}::integer,
        cp_now() - ${agoMs}::double precision * interval '1 millisecond')`,
  );
  await ormOf(q).execute(sql`
    INSERT INTO loop_ticks (process_id, process_kind, loop, every_ms, last_tick_at)
    VALUES ${sql.join(rows, sql`, `)}
    ON CONFLICT (process_id, loop)
    DO UPDATE SET every_ms = EXCLUDED.every_ms, last_tick_at = EXCLUDED.last_tick_at`);
}

/** Takes away what a process said that ends in order. */
export async function forgetLoops(q: Queryable, processId: string): Promise<void> {
  await ormOf(q).execute(sql`DELETE FROM loop_ticks WHERE process_id = ${processId}`);
}

/**
 * Takes away loops of processes that ended without a word, once another process does the same work:
 * what nobody does any more stays and shows its age.
 */
export async function forgetReplacedLoops(q: Queryable): Promise<void> {
  await ormOf(q).execute(sql`
    DELETE FROM loop_ticks old
    WHERE old.last_tick_at < cp_now() - ${KEPT_AFTER_SECONDS} * interval '1 second'
      AND EXISTS (
        SELECT FROM loop_ticks other
        WHERE other.process_kind = old.process_kind AND other.process_id <> old.process_id
          AND other.last_tick_at > old.last_tick_at
          AND other.last_tick_at > cp_now() - ${KEPT_AFTER_SECONDS} * interval '1 second'
          AND other.loop = old.loop)`);
}

/** Every loop of every process, by kind, name and process. */
export async function listLoopAges(q: Queryable): Promise<LoopAge[]> {
  const rows = await ormOf(q).execute(sql`
    SELECT process_id, process_kind, loop, every_ms, last_tick_at,
      greatest(0, floor(extract(epoch FROM cp_now() - last_tick_at)))::integer AS seconds_ago
    FROM loop_ticks ORDER BY process_kind, loop, process_id`);
  return [...rows].map((row) => ({
    processId: String(row.process_id),
    processKind: row.process_kind === "server" ? "server" : "worker",
    loop: String(row.loop),
    everyMs: Number(row.every_ms),
    lastTickAt: new Date(String(row.last_tick_at)),
    secondsAgo: Number(row.seconds_ago),
  }));
}
