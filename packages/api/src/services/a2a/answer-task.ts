import { metadataOf } from "@molecule/db/activity/stitch-delegation";
import type { Transaction } from "@molecule/db/database";
import { answerInboxTask } from "@molecule/db/queue/inbox-tasks";
import type { Target } from "@molecule/db/registry/targets";
import { fields, joined, list } from "../../a2a/agent-reply.ts";
import type { Envelope } from "../../a2a/envelope.ts";
import type { Caller } from "./deliver-and-answer.ts";

/** The task that a message says it answers (`metadata.answer_to`); null for every other message. */
export function answeredTaskOf({ body }: Pick<Envelope, "body">): string | null {
  const id = metadataOf(body).answer_to;
  return typeof id === "string" && id !== "" ? id : null;
}

/**
 * A message that answers a task which its sender found in its inbox ends that task for whoever gave it.
 * Anything else it names is no task between the two, and changes nothing. SPEC: DG6.
 */
export async function endAnswered(
  tx: Transaction,
  caller: Caller,
  { target, envelope }: { readonly target: Target; readonly envelope: Envelope },
): Promise<void> {
  const taskId = answeredTaskOf(envelope);
  if (caller.kind === "person" || taskId === null) return;
  const { parts } = fields(fields(envelope.body.params).message);
  await answerInboxTask(tx, {
    answererId: caller.id,
    askerId: target.id,
    taskId,
    status: "ok",
    text: joined(parts) ?? "",
    responseBody: inboxReply(taskId, list(parts)),
  });
}

/** An answer in the shape of an agent that was dialled. */
export function inboxReply(taskId: string, parts: readonly unknown[]) {
  const result = { kind: "message", role: "agent", messageId: `answer-${taskId}`, parts };
  return { jsonrpc: "2.0", id: taskId, result };
}
