import { randomUUID } from "node:crypto";
import {
  type Delegation,
  findDelegation,
  listDelegations,
  recordDelegation,
  releaseDelegationKey,
  updateDelegation,
} from "@molecule/db/activity/delegations";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError, isDomainError } from "@molecule/domain/errors";
import type { ActivityStatus } from "@molecule/domain/sets";
import { readReply } from "../../a2a/agent-reply.ts";
import type { Deps } from "../../deps.ts";
import { sendMessage } from "./send-message.ts";

/** A task for another agent. */
export interface DelegateInput {
  readonly sourceId: string;
  readonly targetId: string;
  readonly task: string;
  readonly idempotencyKey: string | null;
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
  await hand(deps, { ...input, name: source.name }, { row, delegationId });
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
  delegation: Pick<Delegation, "row" | "delegationId">,
): Promise<void> {
  const messageId = delegation.delegationId;
  const metadata = { delegation_id: messageId };
  const parts = [{ type: "text", text: input.task }];
  try {
    const answer = await sendMessage(deps, {
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
    if (answer.kind === "json" && answer.status >= 400) return;
  } catch (error) {
    if (!isDomainError(error)) throw error;
    const update = { status: "error", error: error.message, preview: null } as const;
    await deps.db.transaction((tx) => updateDelegation(tx, delegation, update));
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

/** Takes a runtime's word on a delegation. @throws DomainError `not_found`. */
export async function reportDelegation(
  deps: Deps,
  input: {
    readonly sourceId: string;
    readonly delegationId: string;
    readonly status: "completed" | "failed" | "queued";
    readonly error: string | null;
    readonly preview: string | null;
  },
): Promise<void> {
  const { sourceId, delegationId, error, preview } = input;
  const found = await findDelegation(deps.db, sourceId, { delegationId });
  if (found === null) throw new DomainError("not_found", "There is no such delegation.");
  const words = { completed: "ok", failed: "error", queued: "queued" } as const;
  const update = { status: words[input.status], error, preview };
  await deps.db.transaction((tx) => updateDelegation(tx, found, update));
}
