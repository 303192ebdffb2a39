import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type JsonAnswer, NoAnswerError } from "./http-json.ts";
import { type PlatformClient, refusalOf } from "./platform-client.ts";
import { replyOf } from "./reply-text.ts";
import { retryDelayMs } from "./retry-delay.ts";

/** A message from this workspace to another one. */
export interface PeerMessage {
  readonly targetId: string;
  readonly text: string;
  /** Default: a new UUID. The same id is sent again after a broken connection, and counts once. */
  readonly messageId?: string | undefined;
  /** How long the answer is waited for, in ms; default ten minutes. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How a message to a peer ended, seen from the sender. */
export type PeerOutcome =
  | { readonly kind: "answered"; readonly text: string; readonly isError: boolean }
  /** Accepted, but no answer came within the deadline; it will be delivered and worked on. */
  | { readonly kind: "pending"; readonly sentence: string }
  | { readonly kind: "refused"; readonly status: number; readonly sentence: string }
  | { readonly kind: "unreachable"; readonly sentence: string }
  | { readonly kind: "cancelled" };

const DEFAULT_DEADLINE_MS = 600_000;
/** Source: wire contract §6.5, "up to 5 attempts on transport errors". */
const MAX_TRANSPORT_FAILURES = 5;
/** How long a target that is restarting or waking is waited for, in ms. */
const UNAVAILABLE_PATIENCE_MS = 120_000;
const QUEUE_POLL_MS = 2_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Sends a message through the platform's proxy and waits for the answer. A broken connection is tried
 * again under the same message id; a target that restarts is waited for; a queued message is followed
 * on the activity log until it was answered. Never throws.
 */
export async function sendToPeer(
  client: PlatformClient,
  message: PeerMessage,
): Promise<PeerOutcome> {
  const startedAt = performance.now();
  const deadlineMs = message.deadlineMs ?? DEFAULT_DEADLINE_MS;
  const conversation = new PeerConversation(client, {
    ...message,
    messageId: message.messageId ?? randomUUID(),
    deadlineMs,
    elapsedMs: () => performance.now() - startedAt,
  });
  try {
    return await conversation.run();
  } catch (error) {
    if (message.signal?.aborted === true) return { kind: "cancelled" };
    if (error instanceof NoAnswerError) return { kind: "unreachable", sentence: error.message };
    throw error;
  }
}

interface Sending extends PeerMessage {
  readonly messageId: string;
  readonly deadlineMs: number;
  readonly elapsedMs: () => number;
}

type Step = { readonly done: PeerOutcome } | { readonly waitMs: number };

/** One message under way: counts its transport failures and knows how much time is left. */
class PeerConversation {
  readonly #client: PlatformClient;
  readonly #sending: Sending;
  #transportFailures = 0;

  constructor(client: PlatformClient, sending: Sending) {
    this.#client = client;
    this.#sending = sending;
  }

  async run(): Promise<PeerOutcome> {
    for (;;) {
      const step = await this.#attempt();
      if ("done" in step) return step.done;
      if (this.#leftMs() <= step.waitMs) return this.#stillPending();
      await delay(step.waitMs, undefined, { signal: this.#sending.signal });
    }
  }

  async #attempt(): Promise<Step> {
    const { targetId, text, messageId, signal } = this.#sending;
    const leftMs = this.#leftMs();
    if (leftMs <= 0) return { done: this.#stillPending() };
    try {
      const answer = await this.#client.call({
        method: "POST",
        path: `/workspaces/${encodeURIComponent(targetId)}/a2a`,
        headers: { "x-timeout": String(Math.max(1, Math.ceil(leftMs / 1000))) },
        deadlineMs: leftMs,
        signal,
        body: {
          jsonrpc: "2.0",
          id: messageId,
          method: "message/send",
          params: {
            message: {
              kind: "message",
              role: "user",
              messageId,
              contextId: `peer-${this.#client.workspaceId}`,
              parts: [{ kind: "text", text }],
              metadata: { delegation_id: messageId },
            },
          },
        },
      });
      return await this.#judge(answer);
    } catch (error) {
      return this.#afterFailure(error);
    }
  }

  #afterFailure(error: unknown): Step {
    if (!(error instanceof NoAnswerError)) throw error;
    if (error.reason === "cancelled") return { done: { kind: "cancelled" } };
    if (error.reason === "deadline") return { done: this.#stillPending() };
    this.#transportFailures += 1;
    if (this.#transportFailures >= MAX_TRANSPORT_FAILURES) {
      return {
        done: {
          kind: "unreachable",
          sentence: "The platform cannot be reached. The message was not answered.",
        },
      };
    }
    const bounds = { baseMs: 500, capMs: 8_000 };
    return { waitMs: retryDelayMs(this.#transportFailures, bounds, Math.random()) };
  }

  async #judge(answer: JsonAnswer): Promise<Step> {
    const body = recordOf(answer.body);
    if (answer.status === 202 || body.queued === true || body.status === "queued") {
      return { done: await this.#followQueued() };
    }
    if (answer.status >= 200 && answer.status <= 299) {
      const reply = replyOf(answer.body);
      if (reply !== undefined) return { done: { kind: "answered", ...reply } };
      const sentence = "The agent's answer could not be understood.";
      return { done: { kind: "refused", status: answer.status, sentence } };
    }
    const isTemporary =
      answer.status === 429 ||
      (answer.status === 503 && (body.restarting ?? body.busy ?? body.waking) === true);
    if (isTemporary && this.#sending.elapsedMs() < UNAVAILABLE_PATIENCE_MS) {
      const seconds = answer.retryAfterSeconds ?? numberOf(body.retry_after) ?? 3;
      return { waitMs: Math.min(LONGEST_PAUSE_MS, Math.max(250, seconds * 1000)) };
    }
    const sentence = refusalOf(answer).message;
    return { done: { kind: "refused", status: answer.status, sentence } };
  }

  /** The platform keeps the message; its answer appears in the activity we share with the target. */
  async #followQueued(): Promise<PeerOutcome> {
    while (this.#leftMs() > QUEUE_POLL_MS) {
      await delay(QUEUE_POLL_MS, undefined, { signal: this.#sending.signal });
      const rows = await this.#client
        .activity({ peer_id: this.#sending.targetId, limit: "100" })
        .catch(() => []);
      const row = rows.find((candidate) => this.#isOurs(candidate));
      if (row === undefined || row.status === "pending" || row.status === "queued") continue;
      const reply = replyOf(row.response_body);
      if (reply !== undefined) {
        return { kind: "answered", ...reply, isError: reply.isError || row.status === "error" };
      }
      const sentence = row.error_detail ?? "The queued message could not be delivered.";
      if (row.status === "error") return { kind: "refused", status: 503, sentence };
    }
    return this.#stillPending();
  }

  #isOurs(row: { readonly request_body?: unknown }): boolean {
    const message = recordOf(recordOf(recordOf(row.request_body).params).message);
    return message.messageId === this.#sending.messageId;
  }

  #leftMs(): number {
    return this.#sending.deadlineMs - this.#sending.elapsedMs();
  }

  #stillPending(): PeerOutcome {
    const seconds = Math.round(this.#sending.deadlineMs / 1000);
    return {
      kind: "pending",
      sentence: `No answer came within ${seconds} s. The message was handed to the platform; its answer will appear in the activity of both agents.`,
    };
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
