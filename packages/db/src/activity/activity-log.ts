import { activityWord } from "@molecule/domain/activity-words";
import type { ActivityStatus, ActivityType } from "@molecule/domain/sets";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { activity } from "../schema/content.ts";
import { storableJson, storableText } from "../storable.ts";

/** Bodies that together are larger live in the row only; the event names it. Source: architecture 5. */
export const MAX_EVENT_BODY_CHARS = 16_384;
const MAX_SUMMARY_CHARS = 4096;

/** A row to be written. Absent means NULL. */
export interface NewActivity {
  readonly workspaceId: string;
  readonly type: ActivityType;
  readonly status: ActivityStatus;
  /** A workspace id; null for a person or the platform. */
  readonly sourceId?: string | null;
  readonly targetId?: string | null;
  readonly method?: string | null;
  readonly summary?: string | null;
  readonly requestBody?: unknown;
  readonly responseBody?: unknown;
  readonly toolTrace?: unknown;
  readonly durationMs?: number | null;
  readonly errorDetail?: string | null;
  readonly actorName?: string | null;
  readonly messageId?: string | null;
  readonly idempotencyKey?: string | null;
}

/** A stored row. */
export type ActivityRow = typeof activity.$inferSelect;

/**
 * Writes the row and its ACTIVITY_LOGGED event. Null when a row with the same message id or
 * idempotency key exists already: nothing was written then.
 */
export async function logActivity(
  tx: Transaction,
  entry: NewActivity,
): Promise<ActivityRow | null> {
  const [row] = await ormOf(tx)
    .insert(activity)
    .values({
      workspaceId: entry.workspaceId,
      activityType: entry.type,
      status: entry.status,
      sourceId: entry.sourceId ?? null,
      targetId: entry.targetId ?? null,
      method: textOrNull(entry.method, 256),
      summary: textOrNull(entry.summary, MAX_SUMMARY_CHARS),
      requestBody: jsonOrNull(entry.requestBody),
      responseBody: jsonOrNull(entry.responseBody),
      toolTrace: jsonOrNull(entry.toolTrace),
      durationMs: entry.durationMs ?? null,
      errorDetail: textOrNull(entry.errorDetail, 8192),
      actorName: textOrNull(entry.actorName, 255),
      messageId: textOrNull(entry.messageId, 512),
      idempotencyKey: textOrNull(entry.idempotencyKey, 512),
    })
    .onConflictDoNothing()
    .returning();
  if (row === undefined) return null;
  await tellActivity(tx, row);
  return row;
}

/** Appends ACTIVITY_LOGGED for the row as it is now, on its workspace and on the sending one. */
export async function tellActivity(tx: Transaction, row: ActivityRow): Promise<void> {
  const payload = activityPayload(row);
  await appendEvent(tx, { event: "ACTIVITY_LOGGED", subjectId: row.workspaceId, payload });
  if (row.sourceId !== null && row.sourceId !== row.workspaceId) {
    await appendEvent(tx, { event: "ACTIVITY_LOGGED", subjectId: row.sourceId, payload });
  }
}

/** Source: contract §16.3; `id` and `seq` let a client fetch the row. */
function activityPayload(row: ActivityRow): Record<string, unknown> {
  const bodies = {
    ...(row.toolTrace === null ? {} : { tool_trace: row.toolTrace }),
    ...(row.requestBody === null ? {} : { request_body: row.requestBody }),
    ...(row.responseBody === null ? {} : { response_body: row.responseBody }),
  };
  const isSmall = JSON.stringify(bodies).length <= MAX_EVENT_BODY_CHARS;
  return {
    id: row.id,
    seq: row.seq,
    activity_type: row.activityType,
    method: row.method,
    summary: row.summary,
    status: activityWord(row),
    source_id: row.sourceId,
    target_id: row.targetId,
    duration_ms: row.durationMs,
    ...(isSmall ? bodies : { body_in: row.id }),
  };
}

function textOrNull(text: string | null | undefined, maxLength: number): string | null {
  return text === null || text === undefined ? null : storableText(text, maxLength);
}

function jsonOrNull(value: unknown): unknown {
  return value === undefined || value === null ? null : storableJson(value);
}
