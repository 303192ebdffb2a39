import type { EventType } from "@molecule/domain/sets";
import { sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";

/** A position on the log: everything up to and including it was seen. Ordered by txid, then id. */
export interface Position {
  readonly txid: number;
  readonly id: number;
}

/** One entry of the log. */
export interface LoggedEvent {
  readonly at: Date;
  readonly event: EventType;
  readonly subjectId: string | null;
  readonly payload: Record<string, unknown>;
  readonly position: Position;
}

/** `<txid>.<id>` */
export function cursorOf(position: Position): string {
  return `${position.txid}.${position.id}`;
}

/** The position of a cursor; null for text that is none. */
export function parseCursor(text: string): Position | null {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(text);
  return match === null ? null : { txid: Number(match[1]), id: Number(match[2]) };
}

/** Negative when `a` comes before `b`. */
export function comparePositions(a: Position, b: Position): number {
  return a.txid - b.txid || a.id - b.id;
}

/**
 * Events after `after`, oldest first, at most `limit`. Only transactions older than every running one
 * are read, so that nothing that commits late is ever skipped. Source: architecture 5.
 */
export async function readEvents(
  q: Queryable,
  after: Position,
  limit: number,
): Promise<LoggedEvent[]> {
  return await readPage(q, { after, limit });
}

/** The same, of one subject when it is given. */
export async function readPage(
  q: Queryable,
  page: { readonly after: Position; readonly limit: number; readonly subjectId?: string },
): Promise<LoggedEvent[]> {
  const { after, limit, subjectId } = page;
  const ofSubject = subjectId === undefined ? sql`` : sql`AND subject_id = ${subjectId}::uuid`;
  const rows = await ormOf(q).execute<RawEvent>(sql`
    SELECT id, txid, event, subject_id, payload, at FROM events
    WHERE (txid, id) > (${after.txid}::bigint, ${after.id}::bigint)
      AND txid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint ${ofSubject}
    ORDER BY txid, id LIMIT ${limit}`);
  return rows.map(toEvent);
}

/** The newest events first, of one subject when it is given. */
export async function newestEvents(
  q: Queryable,
  page: { readonly subjectId?: string; readonly limit: number },
): Promise<LoggedEvent[]> {
  const ofSubject =
    page.subjectId === undefined ? sql`` : sql`WHERE subject_id = ${page.subjectId}::uuid`;
  const rows = await ormOf(q).execute<RawEvent>(sql`
    SELECT id, txid, event, subject_id, payload, at FROM events ${ofSubject}
    ORDER BY id DESC LIMIT ${page.limit}`);
  return rows.map(toEvent);
}

/** A position that everything committed before this statement is at or below, and the clock there. */
export async function readHead(
  q: Queryable,
): Promise<{ readonly position: Position; readonly at: Date }> {
  const [row] = await ormOf(q).execute<{ xmin: string; at: string }>(
    sql`SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin, cp_now() AS at`,
  );
  if (row === undefined) throw new Error("invariant: the snapshot has an xmin");
  // Events of running and of later transactions have a txid of xmin or above, and ids start at 1.
  return { position: { txid: Number(row.xmin), id: 0 }, at: new Date(row.at) };
}

/** What the log says of a cursor: it can go on from there, or a new snapshot is needed. */
export async function isReachable(q: Queryable, cursor: Position): Promise<boolean> {
  const [row] = await ormOf(q).execute<{ reachable: boolean }>(sql`
    SELECT ${cursor.txid}::bigint <= pg_snapshot_xmax(pg_current_snapshot())::text::bigint
      AND COALESCE((
        SELECT e.id = 1 OR (e.txid, e.id) <= (${cursor.txid}::bigint, ${cursor.id}::bigint)
        FROM events e ORDER BY e.txid, e.id LIMIT 1), true) AS reachable`);
  return row?.reachable === true;
}

interface RawEvent extends Record<string, unknown> {
  readonly id: string;
  readonly txid: string;
  readonly event: EventType;
  readonly subject_id: string | null;
  readonly payload: Record<string, unknown>;
  readonly at: string;
}

function toEvent(row: RawEvent): LoggedEvent {
  return {
    at: new Date(row.at),
    event: row.event,
    subjectId: row.subject_id,
    payload: row.payload,
    position: { txid: Number(row.txid), id: Number(row.id) },
  };
}
