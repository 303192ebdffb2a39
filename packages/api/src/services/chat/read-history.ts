import type { ChatMessage } from "@molecule/contracts/panel";
import type { ActivityRow } from "@molecule/db/activity/activity-log";
import { listChatRows } from "@molecule/db/activity/list-activity";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { fields, filesOf, joined, list, readReply } from "../../a2a/agent-reply.ts";
import type { Deps } from "../../deps.ts";

const MAX_TEXT_CHARS = 200_000;
const MAX_TOOL_DETAIL_CHARS = 2_000;

/** Which part of a conversation is wanted. */
export interface HistoryInput {
  readonly workspaceId: string;
  /** `seq` of the oldest message at hand. */
  readonly before?: number | undefined;
  /** Exchanges, not messages: a question and its answer are one. */
  readonly limit: number;
}

/** The conversation with people, oldest first, rebuilt from activity. @throws `not_found`, `removed`. */
export async function readHistory(
  deps: Deps,
  input: HistoryInput,
): Promise<{ messages: ChatMessage[]; hasMore: boolean }> {
  const { name } = await readConfig(deps.db, input.workspaceId);
  const rows = await listChatRows(deps.db, { ...input, limit: input.limit + 1 });
  const shown = rows.slice(0, input.limit).reverse();
  return {
    messages: shown.flatMap((row) => messagesOf(row, name)),
    hasMore: rows.length > input.limit,
  };
}

function messagesOf(row: ActivityRow, agentName: string): ChatMessage[] {
  if (row.method === "notify") return [notified(row, agentName)];
  const question = questionOf(row);
  const answer = answerOf(row, agentName);
  return answer === null ? [question] : [question, answer];
}

function notified(row: ActivityRow, author: string): ChatMessage {
  const body = fields(row.responseBody);
  return {
    ...shared(row),
    id: `${row.id}:a`,
    role: "agent",
    author,
    text: cut(typeof body.result === "string" ? body.result : ""),
    at: row.createdAt.toISOString(),
    error: null,
    tools: [],
    attachments: filesOf(body.parts),
  };
}

function questionOf(row: ActivityRow): ChatMessage {
  const message = fields(fields(fields(row.requestBody).params).message);
  return {
    ...shared(row),
    id: `${row.id}:q`,
    role: "person",
    author: row.actorName ?? "",
    text: cut(joined(message.parts) ?? ""),
    at: row.createdAt.toISOString(),
    error: null,
    tools: [],
    attachments: filesOf(message.parts),
  };
}

function answerOf(row: ActivityRow, author: string): ChatMessage | null {
  const hasAnswer = row.responseBody !== null && row.responseBody !== undefined;
  if (!hasAnswer && row.status !== "error") return null;
  const reply = readReply(row.responseBody);
  const result = fields(fields(row.responseBody).result);
  const parts = [
    ...list(result.parts),
    ...list(result.artifacts).flatMap((artifact) => list(fields(artifact).parts)),
  ];
  // A failed turn's text is its error; what was said before it broke stays readable.
  const text = row.status === "error" && reply.isError ? "" : reply.text;
  return {
    ...shared(row),
    id: `${row.id}:a`,
    role: "agent",
    author,
    text: cut(text),
    at: row.updatedAt.toISOString(),
    error: row.status === "error" ? (row.errorDetail ?? "The agent reported an error.") : null,
    tools: toolsOf(row.toolTrace),
    attachments: filesOf(parts),
  };
}

function shared(row: ActivityRow) {
  return { seq: row.seq, status: row.status, messageId: row.messageId };
}

function toolsOf(trace: unknown): ChatMessage["tools"] {
  return list(trace).flatMap((entry) => {
    const tool = fields(entry);
    const name = tool.name ?? tool.tool ?? tool.title;
    if (typeof name !== "string" || name === "") return [];
    const detail = tool.detail ?? tool.input ?? tool.arguments ?? "";
    const text = typeof detail === "string" ? detail : JSON.stringify(detail);
    return [{ name, detail: text.slice(0, MAX_TOOL_DETAIL_CHARS) }];
  });
}

function cut(text: string): string {
  return text.slice(0, MAX_TEXT_CHARS);
}
