import type { NotifyBody, PostActivityBody } from "@molecule/contracts/wire";
import { logActivity } from "@molecule/db/activity/activity-log";
import { joinActivityOrder } from "@molecule/db/activity/activity-order";
import { appendEvent } from "@molecule/db/events/append-event";
import { noteFirstMessage } from "@molecule/db/registry/connect-steps";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import type { Deps } from "../../deps.ts";

/** Larger messages are in the activity row only; the event names it. Source: architecture 5. */
const MAX_EVENT_MESSAGE_CHARS = 8_192;

/**
 * An agent says something to the person without being asked. The row has the shape from which a chat is
 * rebuilt; row and event are one transaction, so a message that was answered 200 is not lost.
 * @throws DomainError `not_found`, `removed`. Source: contract §8.1.
 */
export async function notifyPerson(
  deps: Deps,
  workspaceId: string,
  body: NotifyBody,
): Promise<void> {
  const { name } = await readConfig(deps.db, workspaceId);
  const { message, attachments } = body;
  const parts = attachments?.map((file) => ({ kind: "file", file }));
  await deps.db.transaction(async (tx) => {
    await joinActivityOrder(tx, workspaceId);
    const row = await logActivity(tx, {
      workspaceId,
      type: "a2a_receive",
      status: "ok",
      method: "notify",
      summary: `Agent message: ${message.slice(0, 80)}`,
      responseBody: { result: message, ...(parts === undefined ? {} : { parts }) },
    });
    await appendEvent(tx, {
      event: "AGENT_MESSAGE",
      subjectId: workspaceId,
      payload: {
        message: message.slice(0, MAX_EVENT_MESSAGE_CHARS).replaceAll("\u0000", "\ufffd"),
        workspace_id: workspaceId,
        name,
        activity_id: row?.id,
        ...(attachments === undefined || attachments.length === 0 ? {} : { attachments }),
      },
    });
  });
  await noteFirstMessage(deps.db, workspaceId);
}

/**
 * An agent reports what it did. @throws DomainError `forbidden` (a source that is not itself),
 * `bad_request`, `not_found`, `removed`. Source: contract §8.2.
 */
export async function postActivity(
  deps: Deps,
  workspaceId: string,
  body: PostActivityBody,
): Promise<void> {
  await readConfig(deps.db, workspaceId);
  const source = idOrNull(body.source_id);
  if (source !== null && source !== workspaceId) {
    throw new DomainError("forbidden", "An agent reports its own activity only.");
  }
  await deps.db.transaction(async (tx) => {
    await joinActivityOrder(tx, workspaceId);
    await logActivity(tx, {
      workspaceId,
      type: body.activity_type,
      status: body.status,
      sourceId: workspaceId,
      targetId: idOrNull(body.target_id),
      method: body.method ?? null,
      summary: body.summary ?? null,
      requestBody: body.request_body ?? body.metadata ?? null,
      responseBody: body.response_body ?? null,
      durationMs: body.duration_ms ?? null,
      errorDetail: body.error_detail ?? null,
    });
  });
}

function idOrNull(text: string | undefined): string | null {
  if (text === undefined || text === "") return null;
  const id = parseWorkspaceId(text);
  if (id === null) throw new DomainError("bad_request", "A workspace id must be a UUID.");
  return id;
}
