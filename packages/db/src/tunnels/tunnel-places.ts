import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { type Database, ormOf, type Queryable } from "../database.ts";

/** A connection that an endpoint allows, as long as its lease is prolonged. */
export interface TunnelPlace {
  readonly endpoint: string;
  readonly leaseId: string;
}

/** What is asked for. */
export interface PlaceWish {
  readonly endpoint: string;
  readonly machine: string;
  /** Id of the worker. */
  readonly holder: string;
  /** Places of the endpoint. */
  readonly cap: number;
  readonly leaseMs: number;
}

/** A place, or null when all are taken; `used` counts those of everybody, this one included. */
export interface PlaceAnswer {
  readonly place: TunnelPlace | null;
  readonly used: number;
}

/** A place that is wished for counts as wanted for this long. */
const WANTED_SECONDS = 10;

/**
 * Leases one of the places of an endpoint. Wishes for one endpoint wait for each other, so that none is
 * leased twice and none is missed. A full endpoint is marked as wanted. SPEC: TU15.
 */
export async function takePlace(db: Database, wish: PlaceWish): Promise<PlaceAnswer> {
  const leaseId = randomUUID();
  const { endpoint, machine, holder, cap, leaseMs } = wish;
  return await db.transaction(async (tx) => {
    const orm = ormOf(tx);
    await orm.execute(
      sql`SELECT pg_advisory_xact_lock(hashtextextended(${`tunnel_places ${endpoint}`}, 0))`,
    );
    const [taken] = await orm.execute(sql`
      INSERT INTO tunnel_places (endpoint, place, lease_id, holder, machine, lease_until)
      SELECT ${endpoint}, free.place, ${leaseId}::uuid, ${holder}, ${machine},
        cp_now() + ${leaseMs}::double precision * interval '1 millisecond'
      FROM generate_series(1, ${cap}::integer) AS free (place)
      WHERE NOT EXISTS (
        SELECT FROM tunnel_places held
        WHERE held.endpoint = ${endpoint} AND held.place = free.place AND held.lease_until > cp_now()
      )
      ORDER BY free.place LIMIT 1
      ON CONFLICT (endpoint, place) DO UPDATE SET lease_id = EXCLUDED.lease_id,
        holder = EXCLUDED.holder, machine = EXCLUDED.machine, lease_until = EXCLUDED.lease_until,
        wanted_until = NULL
      RETURNING place`);
    if (taken === undefined) {
      await orm.execute(sql`
        UPDATE tunnel_places SET wanted_until = cp_now() + ${WANTED_SECONDS} * interval '1 second'
        WHERE endpoint = ${endpoint}`);
    }
    const [row] = await orm.execute<{ used: number }>(sql`
      SELECT count(*)::integer AS used FROM tunnel_places
      WHERE endpoint = ${endpoint} AND lease_until > cp_now()`);
    const used = row?.used ?? 0;
    return { place: taken === undefined ? null : { endpoint, leaseId }, used };
  });
}

/** Gives a place back once its connection has ended. Does nothing when it is another's by now. */
export async function freePlace(q: Queryable, place: TunnelPlace): Promise<void> {
  await ormOf(q).execute(sql`
    DELETE FROM tunnel_places
    WHERE endpoint = ${place.endpoint} AND lease_id = ${place.leaseId}::uuid`);
}

/** The places of a worker after its leases were prolonged. */
export interface HeldPlaces {
  /** Lease ids that are still this worker's; a connection without one has to end. */
  readonly held: ReadonlySet<string>;
  /** Endpoints at which somebody waits for a place. */
  readonly wanted: ReadonlySet<string>;
}

/** Prolongs everything that a worker holds, in one statement. SPEC: TU15. */
export async function renewPlaces(
  q: Queryable,
  holder: string,
  leaseMs: number,
): Promise<HeldPlaces> {
  const rows = await ormOf(q).execute<{ endpoint: string; lease_id: string; is_wanted: boolean }>(
    sql`
      UPDATE tunnel_places
      SET lease_until = cp_now() + ${leaseMs}::double precision * interval '1 millisecond'
      WHERE holder = ${holder}
      RETURNING endpoint, lease_id, COALESCE(wanted_until > cp_now(), false) AS is_wanted`,
  );
  return {
    held: new Set(rows.map((row) => row.lease_id)),
    wanted: new Set(rows.filter((row) => row.is_wanted).map((row) => row.endpoint)),
  };
}

/** Open connections of one endpoint, as everybody sees it. */
export interface EndpointUse {
  readonly endpoint: string;
  readonly open: number;
}

/** Endpoints with open connections, over all workers. */
export async function readEndpointUse(q: Queryable): Promise<readonly EndpointUse[]> {
  return [
    ...(await ormOf(q).execute<{ endpoint: string; open: number }>(sql`
      SELECT endpoint, count(*)::integer AS open FROM tunnel_places
      WHERE lease_until > cp_now() GROUP BY endpoint ORDER BY endpoint`)),
  ];
}
