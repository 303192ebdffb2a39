import type { ActivityView } from "@molecule/contracts/panel";
import { listNamedActivity, type NamedActivity } from "@molecule/db/activity/list-activity";
import type { ActivityType } from "@molecule/domain/sets";
import { fields, joined, readReply } from "../../a2a/agent-reply.ts";
import type { Deps } from "../../deps.ts";

/** Texts of a row are cut to this many characters in a list. */
const MAX_SHOWN_CHARS = 20_000;

/** Which rows the Activity tab wants. */
export interface ActivityPageInput {
  readonly workspaceId?: string | undefined;
  readonly before?: number | undefined;
  readonly types?: readonly ActivityType[] | undefined;
  readonly onlyFailed?: boolean | undefined;
  readonly limit: number;
}

/** Rows newest first, with names; of one workspace also what it sent to others. */
export async function listActivityViews(
  deps: Deps,
  page: ActivityPageInput,
): Promise<{ rows: ActivityView[]; hasMore: boolean }> {
  const found = await listNamedActivity(deps.db, { ...page, limit: page.limit + 1 });
  return {
    rows: found.slice(0, page.limit).map(viewOf),
    hasMore: found.length > page.limit,
  };
}

function viewOf({ row, sourceName, targetName }: NamedActivity): ActivityView {
  return {
    id: row.id,
    seq: row.seq,
    type: row.activityType,
    status: row.status,
    summary: row.summary ?? "",
    method: row.method,
    sourceId: row.sourceId,
    targetId: row.targetId,
    sourceName,
    targetName,
    actorName: row.actorName,
    durationMs: row.durationMs,
    errorDetail: row.errorDetail,
    request: requestText(row.requestBody),
    response: responseText(row.responseBody),
    at: row.createdAt.toISOString(),
  };
}

function requestText(body: unknown): string | null {
  if (body === null || body === undefined) return null;
  const { message } = fields(fields(body).params);
  return shown(joined(fields(message).parts) ?? asJson(body));
}

function responseText(body: unknown): string | null {
  if (body === null || body === undefined) return null;
  const { text } = readReply(body);
  return shown(text === "" ? asJson(body) : text);
}

function asJson(body: unknown): string {
  return typeof body === "string" ? body : JSON.stringify(body, null, 2);
}

function shown(text: string): string {
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
}
