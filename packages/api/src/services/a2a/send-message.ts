import { delegationIdOf } from "@molecule/db/activity/stitch-delegation";
import { type Accepted, acceptMessage, type NewMessage } from "@molecule/db/queue/accept-message";
import { leaveMessage } from "@molecule/db/queue/inbox-tasks";
import { acceptForKnown, acceptOrdinary, isOrdinary } from "@molecule/db/queue/ordinary-message";
import { noteFirstMessage } from "@molecule/db/registry/connect-steps";
import { loadParents, type Target } from "@molecule/db/registry/targets";
import { canCommunicate } from "@molecule/domain/access";
import { deliveryOf } from "@molecule/domain/delivery";
import { DomainError } from "@molecule/domain/errors";
import { agentAddressOf } from "../../a2a/agent-address.ts";
import { fields } from "../../a2a/agent-reply.ts";
import { type Envelope, readEnvelope } from "../../a2a/envelope.ts";
import type { AgentAddress } from "../../adapters/agent-line.ts";
import type { Deps } from "../../deps.ts";
import { answerRepeated, requireOwn, storedAnswer } from "./answer-repeated.ts";
import { answeredTaskOf, endAnswered } from "./answer-task.ts";
import { hasKeptFiles } from "./carry-files.ts";
import { copyFiles } from "./copy-files.ts";
import { type Caller, deliverAndAnswer, queuedAnswer, type Sending } from "./deliver-and-answer.ts";
import { passThrough } from "./pass-through.ts";
import type { ProxyAnswer } from "./proxy-answer.ts";
import { type LedTo, requireChain } from "./require-chain.ts";
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

/** A call that may be made, and who led to it. */
type Judged = SendInput & LedTo;

/**
 * Takes a call to an agent and answers with what came of it. A message is written down first, counts
 * once per target and message id, and is delivered whether the sender stays or not.
 * @throws DomainError as §6.3 to §6.5: `bad_request`, `forbidden`, `not_found`, `removed`,
 * `budget_exceeded`, `workspace_unreachable` (also: asleep, with `waking` and `retry_after`), `workspace_restarting`.
 */
export async function sendMessage(deps: Deps, given: SendInput): Promise<ProxyAnswer> {
  const envelope = readEnvelope(given.body);
  const answer = await sendToKnown(deps, given, envelope);
  if (answer !== null) return answer;
  const target = await requireTarget(deps, given.targetId);
  await requireAccess(deps, given.caller, target);
  requireBudget(target);
  if (!envelope.isMessage) return await call(deps, given, { envelope, target });
  const led = await requireChain(deps, given.caller, { target, envelope });
  noteSpoken(deps, given.caller);
  const input = { ...given, ...led };
  const way = routeMessage(target);
  const copied = await copyFiles(deps, { caller: input.caller, target, envelope, way: way.kind });
  const sending = { envelope: copied.envelope, target };
  if (way.kind === "wake") throw await wakeWith(deps, input, { ...sending, address: null });
  if (way.kind === "poll") return await writeDown(deps, input, sending);
  const address = way.kind === "dispatch" && !copied.areKept ? way.address : null;
  return await acceptAndAnswer(deps, input, { ...sending, address });
}

/**
 * What a person writes to an agent that is as it was at its last message: nothing but one statement goes
 * before the agent. Null when anything is not so; nothing was done then, and the whole way decides.
 */
async function sendToKnown(
  deps: Deps,
  given: SendInput,
  envelope: Envelope,
): Promise<ProxyAnswer | null> {
  const known = deps.knownTargets.recall(given.targetId);
  if (known === null || given.caller.kind !== "person" || !envelope.isMessage) return null;
  const address = isWithinBudget(known) ? addressNow(known) : null;
  if (address === null || answeredTaskOf(envelope) !== null) return null;
  const message = newMessage(
    { ...given, chain: [], isAwaited: false },
    { envelope, target: known },
  );
  if (!isOrdinary(message)) return null;
  const accepted = await acceptForKnown(deps.db, message, {
    lease: deps.dispatcher.lease,
    fingerprint: known.fingerprint,
  });
  if (accepted === null) {
    deps.knownTargets.forget(known.id);
    return null;
  }
  const target = { ...known, lastHeartbeatAt: accepted.lastHeartbeatAt };
  return await deliverAndAnswer(deps, given, { envelope, target, address, id: accepted.id });
}

function addressNow(target: Target): AgentAddress | null {
  const address = agentAddressOf(target);
  const how = deliveryOf({ ...target, hasAddress: address !== null });
  return how.kind === "dispatch" ? address : null;
}

/** A call without a message: asked now or not at all. */
async function call(
  deps: Deps,
  given: SendInput,
  { envelope, target }: Omit<Sending, "address">,
): Promise<ProxyAnswer> {
  const way = routeMessage(target);
  if (way.kind === "wake") {
    await deps.db.transaction((tx) => wake(tx, target, given.caller));
    throw wakingError(target, null);
  }
  const input = { ...given, chain: [], isAwaited: false };
  if (way.kind === "poll") return await writeDown(deps, input, { envelope, target });
  if (way.kind !== "dispatch") throw notReady(target);
  return await passThrough(deps, { envelope, target, address: way.address });
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

function isWithinBudget(target: Target): boolean {
  return target.budgetLimit === null || target.monthlySpend < target.budgetLimit;
}

function requireBudget(target: Target): void {
  if (isWithinBudget(target)) return;
  throw new DomainError("budget_exceeded", "The monthly budget of this agent is used up.", {
    next: "Raise its budget or wait for the next month.",
  });
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

/** Source: contract §5.2, §6.4. */
function busyError(target: Target): DomainError {
  return new DomainError("workspace_unreachable", `${target.name} is busy and keeps no messages.`, {
    next: "Nothing was sent. Send the message again in half a minute.",
    details: { busy: true, native_session: true, retry_after: 30 },
  });
}

/** The agent polls: the message is on its activity list and that is all. Source: contract §6.3. */
async function writeDown(
  deps: Deps,
  input: Judged,
  sending: Omit<Sending, "address">,
): Promise<ProxyAnswer> {
  const { envelope } = sending;
  const { method, messageId } = envelope;
  const left = await deps.db.transaction(async (tx) => {
    const message = { ...newMessage(input, sending), messageId };
    const written = await leaveMessage(tx, message);
    if (written.kind === "new") await endAnswered(tx, input.caller, sending);
    return written;
  });
  if (left.kind === "repeated") {
    requireOwn(left.row, input.caller);
    const isOver = left.row.status === "error" || left.row.responseBody !== null;
    if (isOver) return storedAnswer(left.row, false);
  }
  return { kind: "json", status: 200, body: { status: "queued", delivery_mode: "poll", method } };
}

/** The message waits and the workspace starts, both or neither, so that what woke it is not lost. */
async function wakeWith(deps: Deps, input: Judged, sending: Sending): Promise<DomainError> {
  const { target } = sending;
  return await deps.db.transaction(async (tx) => {
    await wake(tx, target, input.caller);
    const accepted = await acceptMessage(tx, newMessage(input, sending), null);
    if (accepted.kind === "new") await endAnswered(tx, input.caller, sending);
    if (accepted.kind === "busy") throw new Error("invariant: what wakes a workspace is kept");
    if (accepted.kind === "new") return wakingError(target, accepted);
    const isOwn = accepted.row.sourceId === callerIdOf(input.caller);
    return wakingError(target, isOwn ? accepted.row : null);
  });
}

async function acceptAndAnswer(deps: Deps, input: Judged, sending: Sending): Promise<ProxyAnswer> {
  const accepted = await accept(deps, input, sending);
  if (accepted.kind === "busy") throw busyError(sending.target);
  if (accepted.kind === "repeated") {
    const envelope = asStored(sending.envelope, accepted.row.requestBody);
    const message = { callerId: callerIdOf(input.caller), body: envelope.body };
    const address = hasKeptFiles(message, sending.target.id) ? null : sending.address;
    return await answerRepeated(deps, {
      ...input,
      ...sending,
      envelope,
      address,
      row: accepted.row,
    });
  }
  const { id } = accepted;
  if (sending.address === null || accepted.isWaiting) return await queuedAnswer(deps, sending, id);
  return await deliverAndAnswer(deps, input, { ...sending, address: sending.address, id });
}

/** A repeated message is the one that was taken, with the files that were copied then. */
function asStored(envelope: Envelope, stored: unknown): Envelope {
  const { params } = fields(stored);
  return params === undefined ? envelope : { ...envelope, body: { ...envelope.body, params } };
}

async function accept(deps: Deps, input: Judged, sending: Sending): Promise<Accepted> {
  const lease = sending.address === null ? null : deps.dispatcher.lease;
  const message = newMessage(input, sending);
  if (lease !== null && isOrdinary(message) && answeredTaskOf(sending.envelope) === null) {
    const id = await acceptOrdinary(deps.db, message, lease);
    if (id !== null) deps.knownTargets.remember(sending.target);
    if (id !== null) return { kind: "new", id, isWaiting: false };
  }
  return await deps.db.transaction(async (tx) => {
    const accepted = await acceptMessage(tx, message, lease);
    if (accepted.kind === "new") await endAnswered(tx, input.caller, sending);
    return accepted;
  });
}

function newMessage(
  { caller, chain, isAwaited }: Judged,
  { envelope, target }: Pick<Sending, "envelope" | "target">,
): NewMessage {
  return {
    targetId: target.id,
    targetName: target.name,
    callerId: callerIdOf(caller),
    actorName: caller.name,
    method: envelope.method,
    messageId: envelope.messageId ?? "",
    envelope: envelope.body,
    chain,
    isAwaited,
    // A task is followed by somebody who does not send it again: it waits like any other.
    isOnlyForNow: target.hasNativeSession && delegationIdOf(envelope.body) === null,
  };
}

function callerIdOf(caller: Caller): string | null {
  return caller.kind === "workspace" ? caller.id : null;
}
