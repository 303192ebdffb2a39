import { randomUUID } from "node:crypto";
import { QUEUE_EXPIRY_HOURS } from "@molecule/domain/delivery";
import { attemptOfRestartContext } from "@molecule/domain/restart-context";
import { isScheduleMessageId } from "@molecule/domain/schedule";
import type { QueueStatus } from "@molecule/domain/sets";
import { type SQL, sql } from "drizzle-orm";
import { joiningOrder } from "../activity/activity-order.ts";
import { loggedPayload } from "../activity/logged-payload.ts";
import { delegationIdOf } from "../activity/stitch-delegation.ts";
import { type Database, ormOf } from "../database.ts";
import { EVENTS_CHANNEL } from "../events/append-event.ts";
import { fixedStatement } from "../fixed-statement.ts";
import { targetFingerprint, targetRows } from "../registry/targets.ts";
import { storableJson, storableText } from "../storable.ts";
import type { NewMessage } from "./accept-message.ts";
import type { DeliveryLease } from "./delivery-lease.ts";
import { type DeliveryEnd, MAX_TOLD_ANSWER_CHARS } from "./end-delivery.ts";
import { turnRoom } from "./turn-room.ts";

/**
 * Places that must be left for a message to be taken without waiting for others that come at the same
 * moment: more than processes have connections, so that none of those can be one too many.
 */
const PLENTY = 64;

/**
 * A message whose way changes nothing but its own row, item and events: no delegation follows it, no
 * schedule and no note of a restart. Nearly every one is.
 */
export function isOrdinary(
  message: Pick<NewMessage, "callerId" | "envelope" | "messageId">,
): boolean {
  const { callerId, envelope, messageId } = message;
  if (callerId !== null && delegationIdOf(envelope) !== null) return false;
  return attemptOfRestartContext(messageId) === null && !isScheduleMessageId(messageId);
}

const v = sql.placeholder;

interface Accepting extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly targetId: string;
  readonly callerId: string | null;
  readonly method: string;
  readonly summary: string;
  readonly body: string;
  readonly actorName: string;
  readonly messageId: string;
  /** Ids with commas between them. */
  readonly chain: string;
  readonly owner: string;
  readonly leaseSeconds: number;
}

/** @param target FROM and WHERE of the rows around the target `w`. @param beat when it last beat. */
const acceptingFor = (target: SQL<unknown>, beat: SQL<unknown>) => sql`
  WITH target AS (
    SELECT w.id, ${turnRoom} AS room, ${joiningOrder(v("targetId"))} AS joined, ${beat} AS beat
    FROM ${target} FOR KEY SHARE OF w
  ), taken AS (
    INSERT INTO activity (id, workspace_id, activity_type, status, source_id, target_id, method,
      summary, request_body, actor_name, message_id)
    SELECT ${v("id")}::uuid, target.id, 'a2a_receive'::activity_type, 'pending'::activity_status,
      ${v("callerId")}::uuid, target.id, ${v("method")}::text, ${v("summary")}::text,
      ${v("body")}::jsonb, ${v("actorName")}::text, ${v("messageId")}::text
    FROM target WHERE target.room > ${sql.raw(String(PLENTY))}
    ON CONFLICT DO NOTHING RETURNING *
  ), item AS (
    INSERT INTO a2a_queue (id, workspace_id, caller_id, body, method, idempotency_key, chain, status,
      expires_at, dispatched_at, lease_owner, lease_until, next_action_at)
    SELECT taken.id, taken.workspace_id, taken.source_id, taken.request_body, taken.method,
      taken.message_id, string_to_array(${v("chain")}, ',')::uuid[], 'dispatched'::queue_status,
      cp_now() + make_interval(hours => ${sql.raw(String(QUEUE_EXPIRY_HOURS))}), cp_now(),
      ${v("owner")}::text, cp_now() + make_interval(secs => ${v("leaseSeconds")}::float8),
      cp_now() + make_interval(secs => ${v("leaseSeconds")}::float8)
    FROM taken
  ), sent AS (
    UPDATE workspaces s SET last_outbound_at = cp_now() FROM taken WHERE s.id = taken.source_id
  ), told AS (
    INSERT INTO events (event, subject_id, payload)
    SELECT 'ACTIVITY_LOGGED'::event_type, about, ${loggedPayload("taken")} FROM taken, unnest(
      CASE WHEN taken.source_id IS NULL OR taken.source_id = taken.workspace_id
        THEN ARRAY[taken.workspace_id] ELSE ARRAY[taken.workspace_id, taken.source_id] END) AS about
  )
  SELECT taken.id, target.beat FROM taken, target`;

const accepting = fixedStatement<Accepting>(
  acceptingFor(
    sql`workspaces w WHERE w.id = ${v("targetId")}::uuid AND w.intent = 'run'`,
    sql`NULL::timestamptz`,
  ),
);

const acceptingKnown = fixedStatement<Accepting & { readonly fingerprint: string }>(
  acceptingFor(
    sql`${targetRows} WHERE w.id = ${v("targetId")}::uuid AND w.intent = 'run'
      AND ${targetFingerprint} = ${v("fingerprint")}::text`,
    sql`l.last_heartbeat_at`,
  ),
);

/**
 * `acceptMessage` for an ordinary message that is delivered now, in one statement instead of six round
 * trips. Its id; null when anything about it is not ordinary (it is not new, its target does not run, is
 * nearly busy, …): nothing was written then, and the whole way decides.
 */
export async function acceptOrdinary(
  db: Database,
  message: NewMessage,
  lease: DeliveryLease,
): Promise<string | null> {
  const values = acceptingValues(message, lease);
  const rows = await ormOf(db).execute(accepting(values));
  if (rows.length === 0) return null;
  db.announce(EVENTS_CHANNEL);
  return values.id;
}

/**
 * The same, for a target that is as it was when it was read: it is looked up and the message accepted in
 * one statement. Null also when anything about the target has changed, its beats excepted.
 */
export async function acceptForKnown(
  db: Database,
  message: NewMessage,
  { lease, fingerprint }: { readonly lease: DeliveryLease; readonly fingerprint: string },
): Promise<{ readonly id: string; readonly lastHeartbeatAt: Date | null } | null> {
  const values = acceptingValues(message, lease);
  const statement = acceptingKnown({ ...values, fingerprint });
  const [row] = await ormOf(db).execute<{ beat: string | null }>(statement);
  if (row === undefined) return null;
  db.announce(EVENTS_CHANNEL);
  return { id: values.id, lastHeartbeatAt: row.beat === null ? null : new Date(row.beat) };
}

function acceptingValues(message: NewMessage, lease: DeliveryLease): Accepting {
  const { targetId, callerId, method } = message;
  return {
    id: randomUUID(),
    targetId,
    callerId,
    method: storableText(method, 256),
    summary: storableText(`${method} → ${message.targetName}`, 4096),
    body: JSON.stringify(storableJson(message.envelope)),
    actorName: storableText(message.actorName, 255),
    messageId: storableText(message.messageId, 512),
    chain: (message.chain ?? []).join(","),
    owner: lease.owner,
    leaseSeconds: lease.leaseMs / 1000,
  };
}

/** What became of {@link endOrdinary}. */
export interface OrdinaryEnd {
  /** False: another process has ended it. */
  readonly isEnded: boolean;
  /** Messages wait for the agent that answered this one. */
  readonly hasWaiting: boolean;
}

const ending = fixedStatement<{
  readonly id: string;
  readonly queueStatus: QueueStatus;
  readonly status: DeliveryEnd["status"];
  readonly detail: string | null;
  readonly wasNeverSent: boolean;
  readonly responseBody: string | null;
  readonly toolTrace: string | null;
  readonly durationMs: number | null;
  /** Whether a person waits for this answer. */
  readonly isShown: boolean;
}>(sql`
  WITH ended AS (
    UPDATE a2a_queue q SET status = ${v("queueStatus")}::queue_status, completed_at = cp_now(),
      next_action_at = NULL, lease_owner = NULL, lease_until = NULL, last_error = ${v("detail")}::text,
      dispatched_at = CASE WHEN ${v("wasNeverSent")}::boolean THEN NULL ELSE q.dispatched_at END
    WHERE q.id = ${v("id")}::uuid AND q.status IN ('queued', 'dispatched')
    RETURNING q.id, q.workspace_id
  ), answered AS (
    UPDATE activity a SET status = ${v("status")}::activity_status,
      response_body = ${v("responseBody")}::jsonb, tool_trace = ${v("toolTrace")}::jsonb,
      error_detail = ${v("detail")}::text, duration_ms = ${v("durationMs")}::int, updated_at = cp_now()
    FROM ended WHERE a.id = ended.id RETURNING a.*
  ), told AS (
    INSERT INTO events (event, subject_id, payload)
    SELECT 'ACTIVITY_LOGGED'::event_type, answered.workspace_id, ${loggedPayload("answered")}
      FROM answered
    UNION ALL SELECT 'ACTIVITY_LOGGED'::event_type, answered.source_id, ${loggedPayload("answered")} FROM answered
      WHERE answered.source_id <> answered.workspace_id
    UNION ALL SELECT 'A2A_RESPONSE'::event_type, answered.workspace_id, jsonb_build_object(
        'activity_id', answered.id, 'message_id', answered.message_id, 'method', answered.method,
        'duration_ms', answered.duration_ms) ||
        CASE WHEN length(answered.response_body::text) <= ${sql.raw(String(MAX_TOLD_ANSWER_CHARS))}
          THEN jsonb_build_object('response_body', answered.response_body)
          ELSE jsonb_build_object('body_in', answered.id) END
      FROM answered WHERE ${v("isShown")}::boolean
  )
  SELECT EXISTS (SELECT 1 FROM a2a_queue o WHERE o.workspace_id = ended.workspace_id
    AND o.status = 'queued') AS has_waiting FROM ended`);

/** `endDelivery` for an ordinary message, whoever holds it, in one statement. */
export async function endOrdinary(
  db: Database,
  id: string,
  end: DeliveryEnd,
): Promise<OrdinaryEnd> {
  const isOk = end.status === "ok";
  const [row] = await ormOf(db).execute<{ has_waiting: boolean }>(
    ending({
      id,
      queueStatus: isOk ? "completed" : "failed",
      status: end.status,
      detail: end.errorDetail === null ? null : storableText(end.errorDetail, 8192),
      wasNeverSent: end.wasNeverSent,
      responseBody: jsonOf(end.responseBody),
      toolTrace: jsonOf(end.toolTrace),
      durationMs: end.durationMs,
      isShown: end.isForPerson && isOk,
    }),
  );
  if (row === undefined) return { isEnded: false, hasWaiting: true };
  db.announce(EVENTS_CHANNEL);
  return { isEnded: true, hasWaiting: row.has_waiting };
}

function jsonOf(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(storableJson(value));
}
