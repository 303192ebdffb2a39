import { setTimeout as delay } from "node:timers/promises";
import type { ActivityRow, DelegationRow, PlatformClient } from "./platform-client.ts";
import { replyOf } from "./reply-text.ts";

/** How a task that was handed to another agent stands. */
export type TaskState =
  | { readonly kind: "completed"; readonly text: string }
  | { readonly kind: "failed"; readonly sentence: string }
  /** Not ended yet: being worked on, or waiting until the other agent can take it. */
  | { readonly kind: "open"; readonly isQueued: boolean }
  /** None of the newest 50 tasks has this id. */
  | { readonly kind: "unknown" };

/** What to wait for. */
export interface TaskWait {
  readonly taskId: string;
  /** How long an end is waited for, in ms; 0 looks once. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Default 1 000 ms. */
  readonly lookEveryMs?: number | undefined;
}

/**
 * How a task stands, with its whole answer. Looks again until it has ended, the time is over or the signal
 * fires. @throws PlatformRefusal | NoAnswerError. Source: wire contract §7.
 */
export async function stateOfTask(client: PlatformClient, wait: TaskWait): Promise<TaskState> {
  const endsAt = performance.now() + wait.waitMs;
  for (;;) {
    const state = await lookAt(client, wait.taskId);
    const leftMs = endsAt - performance.now();
    if (state.kind !== "open" || leftMs <= 0 || wait.signal?.aborted === true) return state;
    const pauseMs = Math.min(leftMs, wait.lookEveryMs ?? 1_000);
    await delay(pauseMs, undefined, { signal: wait.signal }).catch(() => undefined);
  }
}

async function lookAt(client: PlatformClient, taskId: string): Promise<TaskState> {
  const rows = await client.delegations();
  const row = rows.find((candidate) => candidate.delegation_id === taskId);
  if (row === undefined) return { kind: "unknown" };
  switch (row.status) {
    case "completed":
      return { kind: "completed", text: await wholeText(client, row, taskId) };
    case "failed":
      return { kind: "failed", sentence: row.error ?? "The task failed." };
    default:
      return { kind: "open", isQueued: row.status === "queued" };
  }
}

/** The list shows 300 characters; the whole answer is on the activity that both agents share. */
async function wholeText(
  client: PlatformClient,
  row: DelegationRow,
  taskId: string,
): Promise<string> {
  const preview = row.response_preview ?? "";
  if (row.target_id === null || row.target_id === undefined) return preview;
  const rows = await client.activity({ peer_id: row.target_id, limit: "200" });
  const texts = rows.flatMap((candidate) => answerTo(candidate, taskId) ?? []);
  return texts[0] ?? preview;
}

function answerTo(row: ActivityRow, taskId: string): string | undefined {
  const result = recordOf(row.response_body);
  if (row.method === "delegate_result" && result.delegation_id === taskId) {
    return typeof result.text === "string" ? result.text : undefined;
  }
  const message = recordOf(recordOf(recordOf(row.request_body).params).message);
  return message.messageId === taskId ? replyOf(row.response_body)?.text : undefined;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}
