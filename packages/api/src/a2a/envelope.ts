import { randomUUID } from "node:crypto";
import { DomainError } from "@molecule/domain/errors";
import { fields } from "./agent-reply.ts";

/** A JSON-RPC call on its way to an agent. */
export interface Envelope {
  /** What is sent: the caller's object, wrapped and given a message id where it had none. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly id: unknown;
  readonly method: string;
  /** `params.message.messageId`; null for calls without a message. */
  readonly messageId: string | null;
  /** The call carries a message, so it is written down, counted once and queued when need be. */
  readonly isMessage: boolean;
  readonly wantsStream: boolean;
}

const MAX_ID_CHARS = 512;
/** Of A2A 0.3 and 1.0. */
const STREAM_METHODS: ReadonlySet<string> = new Set([
  "message/stream",
  "tasks/resubscribe",
  "SendStreamingMessage",
  "SubscribeToTask",
]);

/**
 * The header by which an agent knows A2A 1.0. The method tells it too, names of 0.3 have a slash, so it
 * needs not be kept with a message that waits.
 */
export function versionHeader(method: unknown): Readonly<Record<string, string>> {
  const isNew = typeof method === "string" && /^[A-Z][A-Za-z]*$/.test(method);
  return isNew ? { "a2a-version": "1.0" } : {};
}

/**
 * Reads a call. Parts of both kinds and everything else in it stay untouched. Source: contract §6.1.
 * @throws DomainError `bad_request`.
 */
export function readEnvelope(value: unknown): Envelope {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new DomainError("bad_request", "The body must be one JSON-RPC call.");
  }
  const given = fields(value);
  const wrapped =
    "jsonrpc" in given
      ? given
      : { jsonrpc: "2.0", id: randomUUID(), method: given.method, params: given.params };
  const { method } = wrapped;
  if (typeof method !== "string" || method === "" || method.length > 256) {
    throw new DomainError("bad_request", "The call has no “method”.", {
      next: "Send {method:“message/send”, params:{message:{role, parts}}}.",
    });
  }
  const params = fields(wrapped.params);
  const isMessage = typeof params.message === "object" && params.message !== null;
  const message = fields(params.message);
  const messageId = isMessage ? messageIdOf(message) : null;
  const body = isMessage
    ? { ...wrapped, params: { ...params, message: { ...message, messageId } } }
    : wrapped;
  return {
    body,
    id: body.id ?? null,
    method,
    messageId,
    isMessage,
    wantsStream: STREAM_METHODS.has(method),
  };
}

function messageIdOf(message: Readonly<Record<string, unknown>>): string {
  const id = message.messageId;
  if (id === undefined || id === null || id === "") return randomUUID();
  if (typeof id !== "string" || id.length > MAX_ID_CHARS) {
    throw new DomainError(
      "bad_request",
      "The “messageId” must be a text of at most 512 characters.",
    );
  }
  return id;
}
