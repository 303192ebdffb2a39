import type { AttemptOutcome, Backend, WorkspaceStatus } from "@molecule/domain/sets";
import {
  STATUS_EVENTS,
  type StatusChange,
  type StatusEvent,
  type StatusPast,
  statusAfter,
} from "@molecule/domain/status-history";
import { statusOf } from "@molecule/domain/status-of";
import { eq, sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { workspaceStatuses } from "../schema/statuses.ts";
import { workspaces } from "../schema/workspaces.ts";

/** Changes read at most; a crash loop at its fastest has fewer in a week. */
const MAX_CHANGES = 5_000;

/** The list as text, as the index `events_status` names it: a parameter would not match it. */
const TOLD_BY = sql.raw(STATUS_EVENTS.map((event) => `'${event}'`).join(", "));

/**
 * What the event log says of a workspace's statuses in the last hours; null for an unknown or removed
 * one. Reads the index `events_status` alone, which holds nothing but such events. A time before the
 * workspace was made is left out.
 */
export async function readStatusPast(
  q: Queryable,
  workspaceId: string,
  hours: number,
): Promise<StatusPast | null> {
  const orm = ormOf(q);
  const [present] = await orm
    .select({
      status: workspaceStatuses.status,
      backend: workspaces.backend,
      isYounger: sql<boolean>`${workspaces.createdAt} > cp_now() - ${hours} * interval '1 hour'`,
      to: sql`cp_now()`.mapWith(workspaces.createdAt),
      from: sql`GREATEST(${workspaces.createdAt}, cp_now() - ${hours} * interval '1 hour')`.mapWith(
        workspaces.createdAt,
      ),
    })
    .from(workspaces)
    .innerJoin(workspaceStatuses, eq(workspaceStatuses.workspaceId, workspaces.id))
    .where(eq(workspaces.id, workspaceId));
  if (present === undefined || present.status === "removed") return null;
  const { from, to } = present;
  const ofSubject = sql`subject_id = ${workspaceId}::uuid AND event IN (${TOLD_BY})`;
  const since = from.toISOString();
  const within = await orm.execute<RawChange>(sql`
    SELECT event, at, payload->'will_retry' = 'true' AS will_retry FROM events
    WHERE ${ofSubject} AND at > ${since}::timestamptz ORDER BY at DESC, id DESC LIMIT ${MAX_CHANGES}`);
  const [last] = await orm.execute<RawChange>(sql`
    SELECT event, at, payload->'will_retry' = 'true' AS will_retry FROM events
    WHERE ${ofSubject} AND at <= ${since}::timestamptz ORDER BY at DESC, id DESC LIMIT 1`);
  let before: WorkspaceStatus | null;
  if (last !== undefined) before = statusAfter(toChange(last));
  else if (present.isYounger) before = firstStatus(present.backend);
  else before = await fromAttempts(q, workspaceId, since);
  return { from, to, before, changes: within.map(toChange).reverse(), present: present.status };
}

/** What every workspace is at first. */
function firstStatus(backend: Backend): WorkspaceStatus {
  return statusOf({ intent: "run", phase: "NEW", health: "ok", backend, isBeating: false });
}

interface RawChange extends Record<string, unknown> {
  readonly event: StatusEvent;
  readonly at: string;
  readonly will_retry: boolean | null;
}

function toChange({ event, at, will_retry }: RawChange): StatusChange {
  return { event, willRetry: will_retry === true, at: new Date(at) };
}

/** The log is kept for a week, attempts far longer: one that was up then and had not ended. */
async function fromAttempts(
  q: Queryable,
  workspaceId: string,
  at: string,
): Promise<WorkspaceStatus | null> {
  const [latest] = await ormOf(q).execute<{ outcome: AttemptOutcome; is_over: boolean }>(sql`
    SELECT outcome, COALESCE(ended_at <= ${at}::timestamptz, false) AS is_over FROM attempts
    WHERE workspace_id = ${workspaceId}::uuid AND created_at <= ${at}::timestamptz
    ORDER BY no DESC LIMIT 1`);
  if (latest === undefined || latest.outcome !== "ready") return null;
  return latest.is_over ? null : "online";
}
