import { randomUUID } from "node:crypto";
import type { attachment } from "@molecule/contracts/wire";
import {
  type Delegation,
  findDelegation,
  listDelegations,
  recordDelegation,
  releaseDelegationKey,
} from "@molecule/db/activity/delegations";
import { stitchDelegation } from "@molecule/db/activity/stitch-delegation";
import { answerInboxTask } from "@molecule/db/queue/inbox-tasks";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError, isDomainError } from "@molecule/domain/errors";
import type { ActivityStatus } from "@molecule/domain/sets";
import type { z } from "zod";
import { readReply } from "../../a2a/agent-reply.ts";
import type { Deps } from "../../deps.ts";
import { inboxReply } from "./answer-task.ts";
import { sendMessage } from "./send-message.ts";

type Attachment = z.infer<typeof attachment>;

/** A task for another agent. */
export interface DelegateInput {
  readonly sourceId: string;
  readonly targetId: string;
  readonly task: string;
  readonly idempotencyKey: string | null;
  /** Files of the delegator that go with the task; copied into the receiver. Absent: none. */
  readonly attachments?: readonly Attachment[] | undefined;
}

/** How a delegation stands, in the words of the wire. */
type DelegationStatus = "delegated" | "queued" | "completed" | "failed";

/** What a delegator is told. */
export interface DelegationAnswer {
  readonly delegationId: string;
  readonly status: DelegationStatus;
  readonly isRepeated: boolean;
}

const MAX_PREVIEW_CHARS = 300;

/**
 * Hands a task over and answers at once; the outcome is read from the delegations. The message's id is
 * the delegation's, so the task runs once however often it is sent. A failed one is tried anew.
 * @throws DomainError `bad_request`, `not_found`, `removed`. Source: contract §7.
 */
export async function delegateTask(deps: Deps, input: DelegateInput): Promise<DelegationAnswer> {
  const { sourceId, targetId, task } = input;
  if (sourceId === targetId) {
    throw new DomainError("bad_request", "An agent does not delegate to itself.");
  }
  const source = await readConfig(deps.db, sourceId);
  const known = await knownDelegation(deps, input);
  if (known !== null && stateOf(known).status !== "failed") {
    const { status } = stateOf(known);
    // Written down and not sent: the server that took it ended in between. Its id makes it one message.
    const isUnsent = known.message === null && known.row.status === "pending";
    if (isUnsent) await hand(deps, { ...input, name: source.name }, known.delegationId);
    return { delegationId: known.delegationId, status, isRepeated: true };
  }
  const delegationId = randomUUID();
  const { idempotencyKey } = input;
  const actorName = source.name;
  const row = await deps.db.transaction(async (tx) => {
    if (known !== null) await releaseDelegationKey(tx, known.row.id);
    const delegation = { sourceId, targetId, task, delegationId, actorName, idempotencyKey };
    return await recordDelegation(tx, delegation);
  });
  if (row === null) return await delegateTask(deps, input);
  await hand(deps, { ...input, name: source.name }, delegationId);
  return { delegationId, status: "delegated", isRepeated: false };
}

async function knownDelegation(deps: Deps, input: DelegateInput): Promise<Delegation | null> {
  const { idempotencyKey, sourceId } = input;
  return idempotencyKey === null
    ? null
    : await findDelegation(deps.db, sourceId, { idempotencyKey });
}

async function hand(
  deps: Deps,
  input: DelegateInput & { readonly name: string },
  messageId: string,
): Promise<void> {
  const metadata = { delegation_id: messageId };
  const files = (input.attachments ?? []).map((file) => ({ kind: "file", file }));
  const parts = [{ type: "text", text: input.task }, ...files];
  try {
    await sendMessage(deps, {
      targetId: input.targetId,
      caller: { kind: "workspace", id: input.sourceId, name: input.name },
      body: {
        jsonrpc: "2.0",
        id: messageId,
        method: "message/send",
        params: { message: { kind: "message", role: "user", messageId, parts, metadata } },
      },
      waitMs: 0,
    });
    // What becomes of a message that was taken is told by its end; here only that it was not.
  } catch (error) {
    if (!isDomainError(error)) throw error;
    // The agent was asleep and wakes up; the message is kept.
    if (error.details.queued === true) return;
    const { sourceId, targetId } = input;
    const step = { status: "error", text: null, error: error.message } as const;
    await deps.db.transaction((tx) =>
      stitchDelegation(tx, { sourceId, targetId, delegationId: messageId, ...step }),
    );
  }
}

/** One delegation as its delegator reads it. */
export interface DelegationView {
  readonly id: string;
  readonly type: "delegation";
  readonly source_id: string | null;
  readonly target_id: string | null;
  readonly summary: string | null;
  readonly status: DelegationStatus;
  readonly created_at: string;
  readonly delegation_id: string;
  readonly error?: string;
  readonly response_preview?: string;
}

/** Newest first. @throws DomainError `not_found`, `removed`. */
export async function viewDelegations(deps: Deps, sourceId: string): Promise<DelegationView[]> {
  await readConfig(deps.db, sourceId);
  return (await listDelegations(deps.db, sourceId)).map((delegation) => {
    const { row } = delegation;
    const state = stateOf(delegation);
    return {
      id: row.id,
      type: "delegation",
      source_id: row.sourceId,
      target_id: row.targetId,
      summary: row.summary,
      status: state.status,
      created_at: row.createdAt.toISOString(),
      delegation_id: delegation.delegationId,
      ...(state.error === null ? {} : { error: state.error }),
      ...(state.preview === null ? {} : { response_preview: state.preview }),
    };
  });
}

const WORDS: Record<ActivityStatus, DelegationStatus> = {
  ok: "completed",
  error: "failed",
  pending: "delegated",
  queued: "queued",
};

/** The row's own end wins; until it has one the message tells. */
function stateOf({ row, message }: Delegation) {
  const isEnded = row.status === "ok" || row.status === "error";
  const told = isEnded || message === null ? row : message;
  const reply = told === row ? null : readReply(told.responseBody);
  const own = row.responseBody;
  const ownText =
    typeof own === "object" && own !== null && "text" in own ? String(own.text) : null;
  const text = told === row ? ownText : (reply?.text ?? null);
  return {
    status: WORDS[told.status],
    error: told.status === "error" ? (told.errorDetail ?? "It failed.") : null,
    preview: told.status === "ok" && text !== null ? text.slice(0, MAX_PREVIEW_CHARS) : null,
  };
}

/** Notes a delegation that a runtime sent itself. @throws DomainError `not_found`, `removed`. */
export async function noteDelegation(
  deps: Deps,
  input: Omit<DelegateInput, "idempotencyKey"> & { readonly delegationId: string },
): Promise<void> {
  const { name } = await readConfig(deps.db, input.sourceId);
  const { sourceId, targetId, task, delegationId } = input;
  await deps.db.transaction((tx) =>
    recordDelegation(tx, {
      sourceId,
      targetId,
      task,
      delegationId,
      actorName: name,
      idempotencyKey: `recorded:${delegationId}`,
    }),
  );
}

/** An agent's word on a delegation. */
export interface DelegationReport {
  readonly workspaceId: string;
  readonly delegationId: string;
  readonly status: "completed" | "failed" | "queued";
  readonly error: string | null;
  readonly preview: string | null;
}

/**
 * Takes a runtime's word on a delegation: of its delegator, or of the agent that found the task in its
 * inbox and has done it. @throws DomainError `not_found`. SPEC: DG6.
 */
export async function reportDelegation(deps: Deps, report: DelegationReport): Promise<void> {
  const { workspaceId, delegationId, error, preview } = report;
  const found = await findDelegation(deps.db, workspaceId, { delegationId });
  const targetId = found?.row.targetId ?? null;
  if (targetId === null) return await reportInboxTask(deps, report);
  const words = { completed: "ok", failed: "error", queued: "queued" } as const;
  const status = words[report.status];
  await deps.db.transaction((tx) =>
    stitchDelegation(tx, {
      sourceId: workspaceId,
      targetId,
      delegationId,
      status,
      text: preview,
      error: status === "error" ? (error ?? "The agent could not do it.") : null,
    }),
  );
}

async function reportInboxTask(deps: Deps, report: DelegationReport): Promise<void> {
  const { workspaceId: answererId, delegationId: taskId } = report;
  const isDone = report.status === "completed";
  const text = (isDone ? report.preview : (report.error ?? report.preview)) ?? "";
  const responseBody = isDone ? inboxReply(taskId, [{ kind: "text", text }]) : null;
  const status = isDone ? ("ok" as const) : ("error" as const);
  const answer = { answererId, taskId, status, text, responseBody };
  const isTold =
    report.status !== "queued" && (await deps.db.transaction((tx) => answerInboxTask(tx, answer)));
  if (!isTold) throw new DomainError("not_found", "There is no such delegation.");
}
