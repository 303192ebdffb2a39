import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { abandonItem, type QueueItem } from "@molecule/db/queue/a2a-queue";
import { endDelivery } from "@molecule/db/queue/end-delivery";
import type { Target } from "@molecule/db/registry/targets";
import { readInboundSecret } from "@molecule/db/secrets/inbound-secret";
import { MAX_AGENT_RESPONSE_BYTES } from "@molecule/domain/delivery";
import { agentAddressOf } from "../a2a/agent-address.ts";
import { fields, readReply, taskState } from "../a2a/agent-reply.ts";
import type { DeliveryTools } from "../a2a/delivery.ts";
import type { DeliveryOutcome } from "../a2a/delivery-job.ts";
import { requestAgent } from "../adapters/agent-connection.ts";
import { resolveAll } from "../adapters/public-address.ts";

const ASK_EVERY_MS = 2_000;
const ASK_TIMEOUT_MS = 10_000;
/** Questions in a row without an answer after which the task counts as gone. */
const MAX_UNANSWERED = 3;
/** Longest time a task that goes on is followed: as long as a call of an agent. */
const MAX_QUESTIONS = 900;
const END_STATES = ["completed", "failed", "canceled", "rejected"];

const LOST =
  "The platform restarted while the agent was answering, so the answer is not here. The agent may have done the work.";

/** An item whose deliverer vanished while it may have been processed. */
export interface Orphan {
  readonly item: QueueItem;
  readonly target: Target | null;
}

/**
 * Ends a message whose deliverer vanished: it is never sent again. When the agent had told its task,
 * it is asked until the task ends and the answer is stored as if nothing had happened; otherwise, or
 * when the agent no longer knows the task, the row says what happened.
 */
export async function recoverAnswer(
  tools: DeliveryTools,
  orphan: Orphan,
  stop: AbortSignal,
): Promise<DeliveryOutcome> {
  const task = await followTask(tools, orphan, stop);
  const { item } = orphan;
  if (task === "stopping") {
    await abandonItem(tools.db, { id: item.id, owner: tools.owner });
    return { kind: "failed", status: 503, sentence: LOST };
  }
  const envelope = fields(item.body);
  const body = task === null ? null : { jsonrpc: "2.0", id: envelope.id ?? null, result: task };
  const reply = readReply(body);
  const isError = body === null || reply.isError;
  const sentence = body === null ? LOST : reply.text.slice(0, 4096);
  await tools.db.transaction((tx) =>
    endDelivery(
      tx,
      { id: item.id, owner: tools.owner },
      {
        status: isError ? "error" : "ok",
        responseBody: body,
        replyText: reply.text,
        toolTrace: reply.toolTrace,
        errorDetail: isError ? sentence : null,
        durationMs: null,
        wasNeverSent: false,
        isForPerson: item.callerId === null,
      },
    ),
  );
  if (isError) return { kind: "failed", status: 502, sentence };
  return { kind: "answered", status: 200, body };
}

/** The task at its end without its history; null when the agent does not know it or is not there. */
async function followTask(tools: DeliveryTools, orphan: Orphan, stop: AbortSignal) {
  const { item, target } = orphan;
  const address = target === null ? null : agentAddressOf(target);
  if (item.taskId === null || target === null || address === null) return null;
  const secret = await readInboundSecret(tools.db, tools.cipher, target.id);
  let unanswered = 0;
  for (let asked = 0; asked < MAX_QUESTIONS && unanswered < MAX_UNANSWERED; asked += 1) {
    if (stop.aborted) return "stopping";
    const result = await requestAgent(
      { allowCidrs: tools.allowCidrs, resolve: resolveAll },
      {
        address,
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(secret === null ? {} : { authorization: `Bearer ${secret}` }),
        },
        body: JSON.stringify({
          jsonrpc: "2.0",
          id: randomUUID(),
          method: "tasks/get",
          params: { id: item.taskId },
        }),
        signal: AbortSignal.any([stop, AbortSignal.timeout(ASK_TIMEOUT_MS)]),
        maxResponseBytes: MAX_AGENT_RESPONSE_BYTES,
      },
    );
    const answer = result.kind === "answered" ? parse(result.body) : {};
    if (answer.error !== undefined && answer.error !== null) return null;
    const { history: _history, ...task } = fields(answer.result);
    unanswered = Object.keys(task).length === 0 ? unanswered + 1 : 0;
    if (END_STATES.includes(taskState(fields(task.status).state))) return task;
    await delay(ASK_EVERY_MS, undefined, { signal: stop }).catch(() => undefined);
  }
  return null;
}

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return fields(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return {};
  }
}
