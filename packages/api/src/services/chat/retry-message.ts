import { readActivity } from "@molecule/db/activity/list-activity";
import { reopenMessage } from "@molecule/db/queue/accept-message";
import { DomainError } from "@molecule/domain/errors";
import { readEnvelope } from "../../a2a/envelope.ts";
import type { Deps } from "../../deps.ts";
import { requireTarget, routeMessage } from "../a2a/route-message.ts";

/**
 * Delivers a person's message that failed once more; the answer comes by event. Resolves when it is
 * under way or waiting. @throws DomainError `not_found`, `conflict` (it has not failed), and as
 * `routeMessage`.
 */
export async function retryMessage(deps: Deps, activityId: string): Promise<void> {
  const row = await readActivity(deps.db, activityId);
  if (row === null || row.sourceId !== null || row.requestBody === null) {
    throw new DomainError("not_found", "There is no such message.");
  }
  const target = await requireTarget(deps, row.workspaceId);
  const way = routeMessage(target);
  const lease = way.kind === "dispatch" ? deps.dispatcher.lease : null;
  const reopened = await deps.db.transaction((tx) =>
    reopenMessage(tx, row.id, { lease, evenIfProcessed: true }),
  );
  if (reopened === null) {
    throw new DomainError("conflict", "This message is under way or was answered.", {
      next: "Reload the conversation.",
    });
  }
  if (way.kind !== "dispatch" || reopened.isWaiting) {
    deps.dispatcher.poke();
    return;
  }
  const { body, wantsStream } = readEnvelope(row.requestBody);
  const { address } = way;
  // Not awaited: its end is stored and told by the delivery itself.
  deps.dispatcher
    .deliver({ id: row.id, target, address, callerId: null, envelope: body, wantsStream })
    .catch(() => undefined);
}
