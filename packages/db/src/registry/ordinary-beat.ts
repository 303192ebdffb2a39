import { LAST_USED_THROTTLE_SECONDS } from "@molecule/domain/sessions";
import { sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { ENCRYPTION_VERSION, type SecretCipher } from "../secrets/cipher.ts";
import { INBOUND_KEY } from "../secrets/inbound-secret.ts";
import { storableText } from "../storable.ts";
import type { Beat } from "./liveness.ts";

/** A beat of whoever holds a token, before anybody has looked at that token. */
export interface UnprovenBeat extends Omit<Beat, "attemptNo"> {
  readonly tokenSha256: Uint8Array;
  /** Cents spent this month; absent, zero and less: nothing is said. */
  readonly monthlySpend?: number | undefined;
}

/** What an ordinary beat leaves to be told. */
export interface OrdinaryBeat {
  readonly tokenId: string;
  readonly inboundSecret: string;
  readonly activeTasks: number;
  readonly uptimeSeconds: number;
}

/**
 * Records a beat that changes nothing but the time of the last one, in a single statement that also
 * proves the token: of ten thousand agents nearly every beat is one. Null when anything about it is not
 * ordinary (a token that is not live, a first beat, another task, a health that is not "ok", messages
 * that wait, …); nothing was written then, and the whole way decides.
 */
export async function recordOrdinaryBeat(
  q: Queryable,
  cipher: SecretCipher,
  beat: UnprovenBeat,
): Promise<OrdinaryBeat | null> {
  // Sickness is never ordinary, and a spend is compared where it is stored.
  if ((beat.errorRate ?? 0) !== 0 || (beat.runtimeState ?? "") !== "") return null;
  if ((beat.monthlySpend ?? 0) > 0) return null;
  const [row] = await ormOf(q).execute<{
    token_id: string;
    record: Uint8Array;
    active_tasks: number;
    uptime_seconds: number;
  }>(sql`
    WITH beat AS (
      UPDATE liveness l SET
        last_heartbeat_at = cp_now(),
        uptime_seconds = COALESCE(${beat.uptimeSeconds ?? null}::int, l.uptime_seconds),
        worked_at = CASE WHEN l.active_tasks > 0 AND ${beat.activeTasks !== undefined}::boolean
          THEN cp_now() ELSE l.worked_at END
      FROM workspace_tokens t JOIN workspaces w ON w.id = t.workspace_id
      WHERE t.token_sha256 = ${beat.tokenSha256} AND t.revoked_at IS NULL
        AND w.id = ${beat.workspaceId}::uuid AND l.workspace_id = w.id
        AND w.intent = 'run' AND w.health = 'ok' AND w.inbound_secret IS NOT NULL
        AND ((t.attempt_no IS NULL AND w.backend = 'external')
          OR (t.attempt_no = w.current_attempt AND t.attempt_no = l.attempt_no
            AND w.phase = 'READY' AND w.failure IS NULL))
        AND l.first_beat_at IS NOT NULL AND l.error_rate = 0 AND l.runtime_state = ''
        AND l.sample_error = COALESCE(${textOf(beat.sampleError)}::text, l.sample_error)
        AND l.active_tasks = COALESCE(${beat.activeTasks ?? null}::int, l.active_tasks)
        AND l.current_task = COALESCE(${textOf(beat.currentTask)}::text, l.current_task)
        AND l.capabilities = COALESCE(${jsonOf(beat.capabilities)}::jsonb, l.capabilities)
        AND (${beat.idleTimeoutSeconds === undefined}::boolean
          OR l.idle_timeout_seconds IS NOT DISTINCT FROM ${idleOf(beat.idleTimeoutSeconds)}::int)
        AND NOT EXISTS (SELECT 1 FROM a2a_queue q WHERE q.workspace_id = w.id
          AND q.status = 'queued' AND q.next_action_at > cp_now())
      RETURNING t.id AS token_id, t.last_used_at, w.inbound_secret AS record, l.active_tasks,
        l.uptime_seconds
    ), touched AS (
      UPDATE workspace_tokens t SET last_used_at = cp_now() FROM beat
      WHERE t.id = beat.token_id AND COALESCE(
        beat.last_used_at < cp_now() - ${LAST_USED_THROTTLE_SECONDS} * interval '1 second', true)
    )
    SELECT token_id, record, active_tasks, uptime_seconds FROM beat`);
  if (row === undefined) return null;
  const place = { scope: beat.workspaceId, key: INBOUND_KEY };
  const { record } = row;
  const inboundSecret = cipher.decrypt(place, { record, encryptionVersion: ENCRYPTION_VERSION });
  // One that cannot be read is minted anew on the whole way.
  if (inboundSecret === null) return null;
  return {
    tokenId: row.token_id,
    inboundSecret,
    activeTasks: row.active_tasks,
    uptimeSeconds: row.uptime_seconds,
  };
}

function textOf(text: string | undefined): string | null {
  return text === undefined ? null : storableText(text);
}

function jsonOf(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

/** Zero or less asks for the default, which is stored as absent. */
function idleOf(seconds: number | undefined): number | null {
  return seconds !== undefined && seconds > 0 ? seconds : null;
}
