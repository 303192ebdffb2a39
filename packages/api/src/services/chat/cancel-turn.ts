import { randomUUID } from "node:crypto";
import { findRunningForPerson } from "@molecule/db/queue/a2a-queue";
import { endDelivery } from "@molecule/db/queue/end-delivery";
import { takenBackSentence } from "@molecule/domain/delivery";
import { isDomainError } from "@molecule/domain/errors";
import { agentAddressOf } from "../../a2a/agent-address.ts";
import type { Deps } from "../../deps.ts";
import { passThrough } from "../a2a/pass-through.ts";
import { requireTarget } from "../a2a/route-message.ts";

/** What to stop; without a task the newest turn of a person. */
export interface CancelInput {
  readonly workspaceId: string;
  readonly taskId?: string | undefined;
  readonly actorName: string;
}

/**
 * Stops what the agent does for a person: a waiting message is taken back, a running one is cancelled
 * by its agent. False when there is nothing to stop, or the agent has not named its task yet.
 * @throws DomainError `not_found`, `removed`.
 */
export async function cancelTurn(deps: Deps, input: CancelInput): Promise<boolean> {
  const target = await requireTarget(deps, input.workspaceId);
  const item = await findRunningForPerson(deps.db, target.id, input.taskId);
  if (item === null) return false;
  // A process may hold a waiting message just to see whether its target is ready; it waits all the same.
  if (item.dispatchedAt === null) {
    return await deps.db.transaction((tx) =>
      endDelivery(
        tx,
        { id: item.id, owner: null, onlyUnsent: true },
        {
          status: "error",
          responseBody: null,
          toolTrace: null,
          errorDetail: takenBackSentence(input.actorName),
          durationMs: null,
          wasNeverSent: true,
          isForPerson: true,
        },
      ),
    );
  }
  if (item.taskId === null) return false;
  const params = { id: item.taskId };
  const body = { jsonrpc: "2.0", id: randomUUID(), method: "tasks/cancel", params };
  try {
    const envelope = { body, wantsStream: false };
    const answer = await passThrough(deps, { envelope, target, address: agentAddressOf(target) });
    return answer.kind === "json" && !hasError(answer.body);
  } catch (error) {
    if (isDomainError(error)) return false;
    throw error;
  }
}

function hasError(body: unknown): boolean {
  return typeof body === "object" && body !== null && "error" in body;
}
