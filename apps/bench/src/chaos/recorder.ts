import { setTimeout as delay } from "node:timers/promises";
import type postgres from "postgres";
import type { RecordedAttempt, RecordedChange } from "./history.ts";

/**
 * Tables beside the product's, filled by triggers in the transactions of what they tell about. The
 * product forgets old changes and what a deleted workspace had; these do not. Take-overs: a claim of a
 * row whose owner never gave it back; `lease_until` tells when that owner was last heard.
 */
const RECORDER = `
CREATE SCHEMA chaos;
CREATE TABLE chaos.changes (workspace_id uuid, gen bigint, name text, is_batch boolean, at timestamptz);
CREATE TABLE chaos.takeovers (workspace_id uuid, held_until timestamptz, at timestamptz);
CREATE TABLE chaos.clicks (workspace_id uuid, phase text, attempt bigint, at timestamptz);
CREATE TABLE chaos.begun (workspace_id uuid, no bigint, due timestamptz, at timestamptz);
CREATE FUNCTION chaos.note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO chaos.changes SELECT NEW.workspace_id, NEW.gen, NEW.kind || ' ' || NEW.name, w.dirty_is_batch, NEW.at
  FROM workspaces w WHERE w.id = NEW.workspace_id;
  RETURN NULL;
END $$;
CREATE TRIGGER chaos_change AFTER INSERT ON changes FOR EACH ROW EXECUTE FUNCTION chaos.note_change();
CREATE FUNCTION chaos.note_workspace() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.lease_epoch > OLD.lease_epoch AND OLD.lease_owner IS NOT NULL AND OLD.lease_owner <> NEW.lease_owner THEN
    INSERT INTO chaos.takeovers VALUES (NEW.id, OLD.lease_until, clock_timestamp());
  END IF;
  IF NEW.force_seq > OLD.force_seq THEN
    INSERT INTO chaos.clicks VALUES (NEW.id, OLD.phase::text, OLD.current_attempt, clock_timestamp());
  END IF;
  IF NEW.current_attempt > OLD.current_attempt THEN
    INSERT INTO chaos.begun VALUES (NEW.id, NEW.current_attempt, OLD.next_action_at, clock_timestamp());
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER chaos_workspace AFTER UPDATE ON workspaces FOR EACH ROW EXECUTE FUNCTION chaos.note_workspace();
`;

/** Starts recording; call it before the first workspace. */
export async function startRecording(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(RECORDER);
}

/** Repeats while the database is being restarted. @throws after a minute. */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(200);
    }
  }
}

/** All writes on record. */
export async function readChanges(sql: postgres.Sql): Promise<RecordedChange[]> {
  const rows = await sql`
    SELECT workspace_id, gen, name, is_batch, extract(epoch FROM at) * 1000 AS at FROM chaos.changes`;
  return rows.map((row) => ({
    workspaceId: row.workspace_id,
    gen: Number(row.gen),
    name: row.name,
    isBatch: row.is_batch,
    at: Number(row.at),
  }));
}

/** The whole ledger. */
export async function readAttempts(sql: postgres.Sql): Promise<RecordedAttempt[]> {
  const rows = await sql`
    SELECT workspace_id, no, reason, actor_name, detail->>'sentence' AS sentence, outcome, snap_gen
    FROM attempts`;
  return rows.map((row) => ({
    workspaceId: row.workspace_id,
    no: Number(row.no),
    reason: row.reason,
    actor: row.actor_name,
    sentence: row.sentence,
    outcome: row.outcome,
    snapGen: row.snap_gen === null ? null : Number(row.snap_gen),
  }));
}

/** Durations of the run in ms, unsorted; of everything, faults included. */
export interface Durations {
  /** From the last sign of a holder until somebody else had its work. */
  readonly takeovers: readonly number[];
  /** From a click on a READY workspace until its attempt had begun. */
  readonly clicks: readonly number[];
  /** From a due save until its agent was started: waiting for a worker, stop, snapshot, creation. */
  readonly saves: readonly number[];
}

/** Reads the durations. `since`/`until` bound what counts, in ms of the epoch. */
export async function readDurations(sql: postgres.Sql, leaseMs: number): Promise<Durations> {
  const takeovers = await sql`
    SELECT extract(epoch FROM at - held_until) * 1000 + ${leaseMs} AS ms FROM chaos.takeovers`;
  const clicks = await sql`
    SELECT extract(epoch FROM b.at - c.at) * 1000 AS ms FROM chaos.clicks c
    JOIN chaos.begun b ON b.workspace_id = c.workspace_id AND b.no = c.attempt + 1
    WHERE c.phase = 'READY'`;
  const saves = await sql`
    SELECT extract(epoch FROM (s.mark->>'at')::timestamptz - LEAST(b.due, a.created_at)) * 1000 AS ms
    FROM attempts a
    JOIN chaos.begun b ON b.workspace_id = a.workspace_id AND b.no = a.no,
    LATERAL (SELECT value AS mark FROM jsonb_array_elements(a.stages)) s
    WHERE s.mark->>'stage' = 'booting' AND a.reason IN ('files', 'settings', 'secret')`;
  const ms = (rows: readonly postgres.Row[]) => rows.map((row) => Number(row.ms));
  return { takeovers: ms(takeovers), clicks: ms(clicks), saves: ms(saves) };
}
