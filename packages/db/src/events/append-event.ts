import { payloadProblem } from "@molecule/contracts/event-payloads";
import type { EventType } from "@molecule/domain/sets";
import { sql } from "drizzle-orm";
import {
  announceAfterCommit,
  ormOf,
  type Queryable,
  type Transaction,
  wrongEventOf,
} from "../database.ts";
import { events } from "../schema/content.ts";

/** The channel that wakes event tails; its payload is always empty. */
export const EVENTS_CHANNEL = "cp_events";
/** The channel that wakes reconcilers; its payload is a workspace id or empty. */
export const WORK_CHANNEL = "cp_work";
/** The channel that asks for a round of probes; its payload is always empty. */
export const PROBE_CHANNEL = "cp_probe";

/** One entry of the log. */
export interface NewEvent {
  readonly event: EventType;
  /** The workspace it is about; null for the organisation. */
  readonly subjectId: string | null;
  /** Contract §16.3; never a secret, at most 16 KiB. */
  readonly payload: Record<string, unknown>;
}

/**
 * Appends to the log in the transaction that changes the state, so both are seen or neither. A payload
 * that is not as its schema says is a fault of ours: it fails tests and is logged in production.
 */
export async function appendEvent(tx: Transaction, entry: NewEvent): Promise<void> {
  const problem = payloadProblem(entry.event, entry.payload, "told");
  if (problem !== null) wrongEventOf(tx)(problem);
  await ormOf(tx).insert(events).values(entry);
  announceAfterCommit(tx, EVENTS_CHANNEL);
}

/** Wakes reconcilers after the commit. A hint: they poll anyway. */
export async function hintWork(tx: Transaction, workspaceId: string): Promise<void> {
  await ormOf(tx).execute(sql`SELECT pg_notify(${WORK_CHANNEL}, ${workspaceId})`);
}

/** Has the agents looked at soon, because one could not be reached. A hint: they are probed anyway. */
export async function hintProbe(q: Queryable): Promise<void> {
  await ormOf(q).execute(sql`SELECT pg_notify(${PROBE_CHANNEL}, '')`);
}
