import { setTimeout as delay } from "node:timers/promises";
import type { ActivityRow } from "@molecule/db/activity/activity-log";
import { readActivity } from "@molecule/db/activity/list-activity";
import { reopenMessage } from "@molecule/db/queue/accept-message";
import type { Target } from "@molecule/db/registry/targets";
import { DomainError } from "@molecule/domain/errors";
import type { Envelope } from "../../a2a/envelope.ts";
import type { AgentAddress } from "../../adapters/agent-line.ts";
import type { Deps } from "../../deps.ts";
import { answerWithin, type Caller, deliverAndAnswer, queuedAnswer } from "./deliver-and-answer.ts";
import { errorBody, oneEventStream, type ProxyAnswer } from "./proxy-answer.ts";

const LOOK_EVERY_MS = 500;
/** Longest wait for a delivery that another process makes. */
const MAX_WAIT_MS = 1_800_000;

/** A message whose id the target has already. */
export interface Repeated {
  readonly row: ActivityRow;
  readonly caller: Caller;
  readonly waitMs: number | null;
  readonly envelope: Envelope;
  readonly target: Target;
  /** Where to deliver it now; null when the target is not ready. */
  readonly address: AgentAddress | null;
}

/**
 * Answers a repeated send: the stored outcome, or the one that is on its way. Only a message that was
 * certainly not sent is delivered now. Another sender's message is never shown.
 * @throws DomainError `conflict` for another sender's id.
 */
export async function answerRepeated(deps: Deps, repeated: Repeated): Promise<ProxyAnswer> {
  const { row, caller, envelope } = repeated;
  requireOwn(row, caller);
  const { id } = row;
  const sending = { ...repeated, id };
  const running = deps.dispatcher.running(id);
  if (running !== undefined) {
    return await answerWithin(deps, sending, { outcome: running, waitMs: repeated.waitMs });
  }
  const reopened = row.status === "error" ? await reopen(deps, repeated) : null;
  if (reopened !== null) {
    const { address } = repeated;
    if (address === null || reopened.isWaiting) return await queuedAnswer(deps, repeated, id);
    return await deliverAndAnswer(deps, repeated, { ...repeated, address, id });
  }
  if (row.status === "queued") return await queuedAnswer(deps, repeated, id);
  const ended = row.status === "pending" ? await waitForEnd(deps, repeated) : row;
  if (ended === null) return await queuedAnswer(deps, repeated, id);
  return storedAnswer(ended, envelope.wantsStream);
}

/** @throws DomainError `conflict`: a message of another sender has this id. */
export function requireOwn(row: ActivityRow, caller: Caller): void {
  if (row.sourceId === (caller.kind === "workspace" ? caller.id : null)) return;
  throw new DomainError("conflict", "This messageId belongs to another sender's message.", {
    next: "Send the message with a new messageId.",
  });
}

async function reopen(deps: Deps, { row, address }: Repeated) {
  const lease = address === null ? null : deps.dispatcher.lease;
  return await deps.db.transaction((tx) =>
    reopenMessage(tx, row.id, { lease, evenIfProcessed: false }),
  );
}

/** Another process delivers it: its end appears in the row. Null when it does not in time. */
async function waitForEnd(deps: Deps, repeated: Repeated): Promise<ActivityRow | null> {
  const deadline = performance.now() + (repeated.waitMs ?? MAX_WAIT_MS);
  while (performance.now() < deadline) {
    const row = await readActivity(deps.db, repeated.row.id);
    if (row === null || row.status === "queued") return null;
    if (row.status !== "pending") return row;
    await delay(LOOK_EVERY_MS);
  }
  return null;
}

/** What came of a message that has ended. */
export function storedAnswer(row: ActivityRow, wantsStream: boolean): ProxyAnswer {
  const headers = { "x-molecule-activity-id": row.id };
  if (row.responseBody !== null && row.responseBody !== undefined) {
    return wantsStream
      ? { kind: "stream", stream: oneEventStream(row.responseBody), headers }
      : { kind: "json", status: 200, body: row.responseBody, headers };
  }
  const sentence = row.errorDetail ?? "The agent did not answer this message.";
  const failed = { kind: "failed", status: 502, sentence, deliveryConfirmed: false } as const;
  return { kind: "json", status: 502, body: errorBody(failed), headers };
}
