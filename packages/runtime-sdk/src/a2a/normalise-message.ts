import { randomUUID } from "node:crypto";

/**
 * Rewrites the older shapes of a 0.3 call into the ones the protocol library accepts: parts with
 * `type` or with no kind at all, a message without id or role, a body without `jsonrpc`. A message
 * that names no conversation belongs to the one chat of this agent, because the next one of the same
 * sender would not know what was said; a delegated task stands alone. Calls of the 1.0 protocol, whose
 * methods have no slash, are left as they are. Source: wire contract §6.1.
 */
export function normaliseCall(body: unknown): unknown {
  if (!isRecord(body)) return body;
  const call =
    body.jsonrpc === undefined && typeof body.method === "string"
      ? { ...body, jsonrpc: "2.0", id: body.id ?? randomUUID() }
      : body;
  if (typeof call.method !== "string" || !call.method.includes("/")) return call;
  if (!isRecord(call.params) || !isRecord(call.params.message)) return call;
  const message = call.params.message;
  return {
    ...call,
    params: {
      ...call.params,
      message: {
        ...message,
        kind: "message",
        messageId: nonEmpty(message.messageId) ?? randomUUID(),
        role: nonEmpty(message.role) ?? "user",
        ...contextOf(message),
        parts: Array.isArray(message.parts) ? message.parts.map(normalisePart) : [],
      },
    },
  };
}

/** The conversation of messages that name none. */
const CHAT_CONTEXT = "chat";

function contextOf(message: Readonly<Record<string, unknown>>): { contextId?: string } {
  const isNamed = nonEmpty(message.contextId) ?? nonEmpty(message.taskId);
  const isDelegated = isRecord(message.metadata) && message.metadata.delegation_id !== undefined;
  return isNamed !== undefined || isDelegated ? {} : { contextId: CHAT_CONTEXT };
}

function normalisePart(part: unknown): unknown {
  if (typeof part === "string") return { kind: "text", text: part };
  if (!isRecord(part) || typeof part.kind === "string") return part;
  const { type, ...rest } = part;
  if (typeof type === "string") return { ...rest, kind: type };
  if (typeof part.text === "string") return { ...rest, kind: "text" };
  if (isRecord(part.file)) return { ...rest, kind: "file" };
  if (part.data !== undefined) return { ...rest, kind: "data" };
  return part;
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
