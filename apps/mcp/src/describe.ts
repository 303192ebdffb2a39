import type { InboxMessage } from "@molecule/runtime-sdk/inbox";
import type { ActivityRow } from "@molecule/runtime-sdk/platform-client";
import { replyOf } from "@molecule/runtime-sdk/reply-text";

/** Names of workspaces by id, as far as they are known. */
export type Names = ReadonlyMap<string, string>;

/** Messages that wait, for the model that is to answer them. */
export function describeInbox(messages: readonly InboxMessage[], names: Names): string {
  if (messages.length === 0) return "No message waits.";
  const shown = messages.map((message) => {
    const from =
      message.senderId === undefined
        ? "the person (answer with send_message_to_user or inbox_pop)"
        : `the agent ${nameOf(message.senderId, names)} (id ${message.senderId}; answer with inbox_pop)`;
    const files = message.files.map(
      (file) =>
        `\n  file ${file.name}${file.mimeType === undefined ? "" : ` (${file.mimeType})`}, for fetch_file: ${file.uri}`,
    );
    const at = message.receivedAt === undefined ? "" : ` at ${message.receivedAt}`;
    return `message ${message.id} from ${from}${at}:\n${message.text}${files.join("")}`;
  });
  return shown.join("\n\n");
}

/** A conversation, oldest first, seen by the workspace `ownId`. */
export function describeHistory(rows: readonly ActivityRow[], ownId: string, names: Names): string {
  const lines = [...rows].reverse().flatMap((row) => linesOf(row, ownId, names));
  return lines.length === 0 ? "Nothing was said yet." : lines.join("\n");
}

function linesOf(row: ActivityRow, ownId: string, names: Names): string[] {
  const at = row.created_at ?? "";
  const who = (id: string | null | undefined, person: string) =>
    id === null || id === undefined ? person : id === ownId ? "you" : nameOf(id, names);
  const asked = questionIn(row.request_body);
  const answered = replyOf(row.response_body)?.text ?? "";
  const failed = row.status === "error" ? (row.error_detail ?? "") : "";
  return [
    ...(asked === "" ? [] : [`[${at}] ${who(row.source_id, "person")}: ${asked}`]),
    ...(answered === "" ? [] : [`[${at}] ${who(row.target_id ?? ownId, "you")}: ${answered}`]),
    ...(failed === "" ? [] : [`[${at}] failed: ${failed}`]),
  ];
}

function questionIn(request: unknown): string {
  const body = recordOf(request);
  if (typeof body.task === "string") return body.task;
  const { parts } = recordOf(recordOf(body.params).message);
  if (!Array.isArray(parts)) return "";
  const texts = parts.map(recordOf).flatMap((part) => {
    if (typeof part.text === "string") return [part.text];
    const { name } = recordOf(part.file);
    return typeof name === "string" ? [`[file ${name}]`] : [];
  });
  return texts.join("\n");
}

function nameOf(id: string, names: Names): string {
  return names.get(id) ?? id;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}
