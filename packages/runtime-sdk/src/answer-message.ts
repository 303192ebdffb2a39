import type { InboxMessage } from "./inbox.ts";
import { type PlatformClient, refusalOf } from "./platform-client.ts";

/** Whether anybody still waits for the answer to a message of the inbox. */
export type Answered = "sent" | "too_late";

/**
 * Answers a message of the inbox in the way its sender expects: a person reads it in the chat, a task ends
 * with it, and any other message of an agent gets one back. @throws PlatformRefusal | NoAnswerError
 */
export async function answerMessage(
  client: PlatformClient,
  message: InboxMessage,
  text: string,
): Promise<Answered> {
  if (message.senderId === undefined) await client.notify({ message: text });
  else if (message.taskId !== undefined) return await answerTask(client, message.taskId, text);
  else await writeBack(client, { ...message, senderId: message.senderId }, text);
  return "sent";
}

async function answerTask(client: PlatformClient, taskId: string, text: string): Promise<Answered> {
  const here = `/workspaces/${encodeURIComponent(client.workspaceId)}`;
  const answer = await client.call({
    method: "POST",
    path: `${here}/delegations/${encodeURIComponent(taskId)}/update`,
    body: { status: "completed", response_preview: text },
  });
  if (answer.status === 404) return "too_late";
  if (answer.status < 200 || answer.status > 299) throw refusalOf(answer);
  return "sent";
}

/** Its own id is made of the message's, so that an answer that is sent twice counts once. */
async function writeBack(
  client: PlatformClient,
  message: InboxMessage & { readonly senderId: string },
  text: string,
): Promise<void> {
  const answer = await client.call({
    method: "POST",
    path: `/workspaces/${encodeURIComponent(message.senderId)}/a2a`,
    // Nobody waits for what the other side says to it.
    headers: { "x-timeout": "1" },
    body: {
      jsonrpc: "2.0",
      id: message.id,
      method: "message/send",
      params: {
        message: {
          kind: "message",
          role: "user",
          messageId: `answer-${message.id}`,
          parts: [{ kind: "text", text }],
          metadata: { answer_to: message.messageId ?? message.id },
        },
      },
    },
  });
  if (answer.status < 200 || answer.status > 299) throw refusalOf(answer);
}
