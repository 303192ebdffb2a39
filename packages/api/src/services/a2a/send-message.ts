import { logActivity } from "@molecule/db/activity/activity-log";
import { countCallsBehind } from "@molecule/db/queue/a2a-queue";
import { type Accepted, acceptMessage, type NewMessage } from "@molecule/db/queue/accept-message";
import { noteFirstMessage } from "@molecule/db/registry/connect-steps";
import { loadParents, type Target } from "@molecule/db/registry/targets";
import { canCommunicate } from "@molecule/domain/access";
import { MAX_CALLS_BEHIND } from "@molecule/domain/delivery";
import { DomainError } from "@molecule/domain/errors";
import { readEnvelope } from "../../a2a/envelope.ts";
import type { Deps } from "../../deps.ts";
import { answerRepeated } from "./answer-repeated.ts";
import { type Caller, deliverAndAnswer, queuedAnswer, type Sending } from "./deliver-and-answer.ts";
import { passThrough } from "./pass-through.ts";
import type { ProxyAnswer } from "./proxy-answer.ts";
import { requireTarget, routeMessage, wake, wakingError } from "./route-message.ts";

/** One call of the proxy. */
export interface SendInput {
  readonly targetId: string;
  readonly caller: Caller;
  /** The JSON body as it came. */
  readonly body: unknown;
  /** How long the sender waits, in ms; null: until the end. The delivery goes on after it. */
  readonly waitMs: number | null;
}

/**
 * Takes a call to an agent and answers with what came of it. A message is written down first, counts
 * once per target and message id, and is delivered whether the sender stays or not.
 * @throws DomainError as §6.3 to §6.5: `bad_request`, `forbidden`, `not_found`, `removed`,
 * `budget_exceeded`, `workspace_unreachable` (also: asleep, with `waking` and `retry_after`), `workspace_restarting`.
 */
export async function sendMessage(deps: Deps, input: SendInput): Promise<ProxyAnswer> {
  const envelope = readEnvelope(input.body);
  const target = await requireTarget(deps, input.targetId);
  await requireAccess(deps, input.caller, target);
  requireBudget(target);
  if (envelope.isMessage) {
    await requireShortChain(deps, input.caller);
    noteSpoken(deps, input.caller);
  }
  const way = routeMessage(target);
  if (way.kind === "wake") throw await wakeWith(deps, input, { envelope, target, address: null });
  if (way.kind === "poll") return await writeDown(deps, input, { envelope, target });
  const address = way.kind === "dispatch" ? way.address : null;
  if (envelope.isMessage) return await acceptAndAnswer(deps, input, { envelope, target, address });
  if (address === null) throw notReady(target);
  return await passThrough(deps, { envelope, target, address });
}

async function requireAccess(deps: Deps, caller: Caller, target: Target): Promise<void> {
  if (caller.kind === "person" || caller.id === target.id) return;
  const parents = await loadParents(deps.db, [caller.id, target.id]);
  const placed = (id: string) => ({ id, parentId: parents.get(id) ?? null });
  const isKnown = parents.has(caller.id) && parents.has(target.id);
  if (isKnown && canCommunicate(placed(caller.id), placed(target.id), (id) => parents.get(id))) {
    return;
  }
  throw new DomainError("forbidden", "These two agents may not speak to each other.", {
    next: "Agents speak to their siblings, to those above and to those below them.",
  });
}

function requireBudget(target: Target): void {
  if (target.budgetLimit === null || target.monthlySpend < target.budgetLimit) return;
  throw new DomainError("budget_exceeded", "The monthly budget of this agent is used up.", {
    next: "Raise its budget or wait for the next month.",
  });
}

/** Ends agents that keep asking each other: every turn of such a ring costs money. */
async function requireShortChain(deps: Deps, caller: Caller): Promise<void> {
  if (caller.kind === "person") return;
  if ((await countCallsBehind(deps.db, caller.id)) < MAX_CALLS_BEHIND) return;
  throw new DomainError(
    "conflict",
    `This would be the ${MAX_CALLS_BEHIND + 1}th agent asked in a row, so it is not asked.`,
    { next: "Answer with what is known by now." },
  );
}

/** An external agent that sends has said something. Not awaited: the message does not wait for it. */
function noteSpoken({ db, log }: Deps, caller: Caller): void {
  if (caller.kind === "person") return;
  noteFirstMessage(db, caller.id).catch((err: unknown) =>
    log.warn({ err, workspace: caller.id }, "a first message was not noted"),
  );
}

function notReady(target: Target): DomainError {
  return new DomainError("workspace_restarting", `${target.name} is not ready yet.`, {
    next: "Try again in a few seconds.",
    details: { restarting: true, status: target.status, retry_after: 5 },
  });
}

/** The agent polls: the message is on its activity list and that is all. Source: contract §6.3. */
async function writeDown(
  deps: Deps,
  { caller }: SendInput,
  { envelope, target }: Omit<Sending, "address">,
): Promise<ProxyAnswer> {
  const { method } = envelope;
  await deps.db.transaction((tx) =>
    logActivity(tx, {
      workspaceId: target.id,
      type: "a2a_receive",
      status: "ok",
      sourceId: caller.kind === "workspace" ? caller.id : null,
      targetId: target.id,
      method,
      summary: `${method} → ${target.name}`,
      requestBody: envelope.body,
      actorName: caller.name,
      messageId: envelope.messageId,
    }),
  );
  return { kind: "json", status: 200, body: { status: "queued", delivery_mode: "poll", method } };
}

/** The message waits and the workspace starts, both or neither, so that what woke it is not lost. */
async function wakeWith(deps: Deps, input: SendInput, sending: Sending): Promise<DomainError> {
  const { target, envelope } = sending;
  return await deps.db.transaction(async (tx) => {
    await wake(tx, target, input.caller);
    if (!envelope.isMessage) return wakingError(target, null);
    const accepted = await acceptMessage(tx, newMessage(input.caller, sending), null);
    const isOwn = accepted.row.sourceId === callerIdOf(input.caller);
    return wakingError(target, isOwn ? accepted.row : null);
  });
}

async function acceptAndAnswer(
  deps: Deps,
  input: SendInput,
  sending: Sending,
): Promise<ProxyAnswer> {
  const accepted = await accept(deps, input.caller, sending);
  if (accepted.kind === "repeated") {
    return await answerRepeated(deps, { ...input, ...sending, row: accepted.row });
  }
  const { id } = accepted.row;
  if (sending.address === null || accepted.isWaiting) return await queuedAnswer(deps, sending, id);
  return await deliverAndAnswer(deps, input, { ...sending, address: sending.address, id });
}

async function accept(deps: Deps, caller: Caller, sending: Sending): Promise<Accepted> {
  const lease = sending.address === null ? null : deps.dispatcher.lease;
  return await deps.db.transaction((tx) => acceptMessage(tx, newMessage(caller, sending), lease));
}

function newMessage(caller: Caller, { envelope, target }: Sending): NewMessage {
  return {
    targetId: target.id,
    targetName: target.name,
    callerId: callerIdOf(caller),
    actorName: caller.name,
    method: envelope.method,
    messageId: envelope.messageId ?? "",
    envelope: envelope.body,
  };
}

function callerIdOf(caller: Caller): string | null {
  return caller.kind === "workspace" ? caller.id : null;
}
