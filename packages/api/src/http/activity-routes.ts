import { notifyBody, postActivityBody } from "@molecule/contracts/wire";
import type { ActivityRow } from "@molecule/db/activity/activity-log";
import { listActivity } from "@molecule/db/activity/list-activity";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { activityWord } from "@molecule/domain/activity-words";
import { DomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import { ACTIVITY_TYPES } from "@molecule/domain/sets";
import { notifyPerson, postActivity } from "../services/activity/post-activity.ts";
import { WORKSPACE } from "./guards.ts";
import { boundedInt } from "./query-values.ts";
import { type Limiter, rateLimited } from "./rate-limit.ts";
import type { RequestContext } from "./request-context.ts";
import { ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

/** Messages an agent may send to its person each minute. */
export const NOTIFIES_PER_MINUTE = 60;
const DEFAULT_ROWS = 100;
const MAX_ROWS = 500;
const MAX_SINCE_SECONDS = 2_592_000;

/** Notify, as often as `notifies` allows, and activity. Source: wire contract §8. */
export function activityRoutes(notifies: Limiter): readonly Route[] {
  return [
    route("POST", "/workspaces/:id/notify", WORKSPACE, async (context) => {
      const body = await context.body(notifyBody);
      const state = notifies.hit(`notify:${context.workspaceId}`, context.deps.now());
      if (state.isExceeded) throw rateLimited(state);
      await notifyPerson(context.deps, context.workspaceId, body);
      return ok({ status: "sent" });
    }),
    route("POST", "/workspaces/:id/activity", WORKSPACE, async (context) => {
      const body = await context.body(postActivityBody);
      await postActivity(context.deps, context.workspaceId, body);
      return ok({ status: "logged" });
    }),
    route("GET", "/workspaces/:id/activity", WORKSPACE, list),
  ];
}

async function list({ deps, query, workspaceId }: RequestContext): Promise<Response> {
  // An unknown workspace is 404, not one without activity.
  await readConfig(deps.db, workspaceId);
  const rows = await listActivity(deps.db, {
    workspaceId,
    type: typeOf(query.get("type")),
    source: sourceOf(query.get("source")),
    sinceSeconds: secondsOf(query.get("since_secs")),
    beforeAt: instantOf(query.get("before_ts")),
    peerId: idOf(query.get("peer_id"), "peer_id"),
    sinceId: idOf(query.get("since_id"), "since_id"),
    limit: boundedInt(query.get("limit"), { min: 1, max: MAX_ROWS, fallback: DEFAULT_ROWS }),
  });
  return ok(rows.map(viewActivity));
}

/** A row on the wire. Source: wire contract §8.3. */
export function viewActivity(row: ActivityRow) {
  return {
    id: row.id,
    workspace_id: row.workspaceId,
    activity_type: row.activityType,
    source_id: row.sourceId,
    target_id: row.targetId,
    method: row.method,
    summary: row.summary,
    duration_ms: row.durationMs,
    status: activityWord(row),
    error_detail: row.errorDetail,
    created_at: row.createdAt.toISOString(),
    ...(row.requestBody === null ? {} : { request_body: row.requestBody }),
    ...(row.responseBody === null ? {} : { response_body: row.responseBody }),
    ...(row.toolTrace === null ? {} : { tool_trace: row.toolTrace }),
  };
}

function typeOf(text: string | null) {
  if (text === null || text === "") return undefined;
  const type = ACTIVITY_TYPES.find((known) => known === text);
  if (type === undefined) throw new DomainError("bad_request", "There is no such activity type.");
  return type;
}

function sourceOf(text: string | null): "canvas" | "agent" | undefined {
  if (text === null || text === "") return undefined;
  if (text === "canvas" || text === "agent") return text;
  throw new DomainError("bad_request", "The source must be “canvas” or “agent”.");
}

function secondsOf(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  if (!/^[1-9]\d{0,14}$/.test(text)) {
    throw new DomainError("bad_request", "since_secs must be a positive whole number.");
  }
  return Math.min(Number(text), MAX_SINCE_SECONDS);
}

function instantOf(text: string | null): Date | undefined {
  if (text === null || text === "") return undefined;
  const isInstant = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;
  const at = new Date(text);
  if (!isInstant.test(text) || Number.isNaN(at.getTime())) {
    throw new DomainError("bad_request", "before_ts must be a time such as 2026-01-31T12:00:00Z.");
  }
  return at;
}

function idOf(text: string | null, name: string): string | undefined {
  if (text === null || text === "") return undefined;
  const id = parseWorkspaceId(text);
  if (id === null) throw new DomainError("bad_request", `${name} must be a UUID.`);
  return id;
}
