import { type SQL, sql } from "drizzle-orm";
import { MAX_EVENT_BODY_CHARS } from "./activity-log.ts";

/**
 * The payload of ACTIVITY_LOGGED for the row `alias` of a statement: as `activityPayload` makes it, for
 * statements that write a row and tell it at once. A test compares the two. Source: contract §16.3.
 */
export function loggedPayload(alias: string): SQL<unknown> {
  const r = sql.raw(alias);
  const bodies = sql`(${named("tool_trace", r)} || ${named("request_body", r)} || ${named("response_body", r)})`;
  return sql`(jsonb_build_object('id', ${r}.id, 'seq', ${r}.seq, 'activity_type', ${r}.activity_type,
    'method', ${r}.method, 'summary', ${r}.summary, 'status', ${r}.status, 'source_id', ${r}.source_id,
    'target_id', ${r}.target_id, 'duration_ms', ${r}.duration_ms) ||
    CASE WHEN length(${bodies}::text) <= ${sql.raw(String(MAX_EVENT_BODY_CHARS))} THEN ${bodies}
      ELSE jsonb_build_object('body_in', ${r}.id) END)`;
}

function named(column: string, r: SQL<unknown>): SQL<unknown> {
  const c = sql.raw(column);
  return sql`CASE WHEN ${r}.${c} IS NULL THEN '{}'::jsonb
    ELSE jsonb_build_object('${c}', ${r}.${c}) END`;
}
