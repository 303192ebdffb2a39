import { queuePosition } from "@molecule/db/queue/a2a-queue";
import type { Target } from "@molecule/db/registry/targets";
import type { DeliveryOutcome } from "../../a2a/delivery-job.ts";
import type { Envelope } from "../../a2a/envelope.ts";
import type { AgentAddress } from "../../adapters/agent-line.ts";
import type { Deps } from "../../deps.ts";
import { errorBody, type ProxyAnswer, StreamAnswer } from "./proxy-answer.ts";

/** Who sends a message. A person is a member or the admin token. */
export type Caller =
  | { readonly kind: "person"; readonly name: string }
  | { readonly kind: "workspace"; readonly id: string; readonly name: string };

/** A call on its way to its target. */
export interface Sending {
  readonly envelope: Envelope;
  readonly target: Target;
  /** Null: the message waits. */
  readonly address: AgentAddress | null;
}

/** An accepted message this process is about to deliver. */
export interface HeldMessage extends Sending {
  readonly id: string;
  readonly address: AgentAddress;
}

/** Delivers and answers with the stream, the answer, or, when the sender's time is up, a 202. */
export async function deliverAndAnswer(
  deps: Deps,
  input: { readonly caller: Caller; readonly waitMs: number | null },
  held: HeldMessage,
): Promise<ProxyAnswer> {
  const { envelope, target, address, id } = held;
  const stream = envelope.wantsStream ? new StreamAnswer(id, envelope.id) : null;
  const outcome = deps.dispatcher.deliver({
    id,
    target,
    address,
    callerId: input.caller.kind === "workspace" ? input.caller.id : null,
    envelope: envelope.body,
    wantsStream: envelope.wantsStream,
    listener: stream?.listener,
  });
  if (stream !== null) {
    stream.follow(outcome);
    const begun = await Promise.race([stream.begun, outcome.then(() => null)]);
    if (begun !== null) return begun;
  }
  return await answerWithin(deps, held, { outcome, waitMs: input.waitMs });
}

/** The outcome as an answer; a 202 when it does not come in time. The delivery goes on. */
export async function answerWithin(
  deps: Deps,
  sending: Sending & { readonly id: string },
  waiting: { readonly outcome: Promise<DeliveryOutcome>; readonly waitMs: number | null },
): Promise<ProxyAnswer> {
  const { outcome, waitMs } = waiting;
  const deadline = waitMs === null ? null : deadlineOf(waitMs);
  try {
    const first = await (deadline === null ? outcome : Promise.race([outcome, deadline.passed]));
    if (first === null || first.kind === "queued")
      return await queuedAnswer(deps, sending, sending.id);
    const headers = { "x-molecule-activity-id": sending.id };
    if (first.kind === "answered") {
      return { kind: "json", status: first.status, body: first.body, headers };
    }
    return { kind: "json", status: first.status, body: errorBody(first), headers };
  } finally {
    deadline?.cancel();
  }
}

function deadlineOf(ms: number) {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  return { passed, cancel: () => clearTimeout(timer) };
}

function waitingSentence(target: Target, isWaiting: boolean): string {
  if (!isWaiting) return `${target.name} has the message; its answer will appear in the activity.`;
  const isUp = target.status === "online" || target.status === "degraded";
  return isUp
    ? `${target.name} is busy. The message is kept and delivered when its turn comes.`
    : `${target.name} is not ready. The message is kept and delivered as soon as it is.`;
}

/** Source: contract §6.5; `status` and `method` are for parsers that know the shape of polled ones. */
export async function queuedAnswer(
  deps: Deps,
  { target, envelope }: Pick<Sending, "target" | "envelope">,
  id: string,
): Promise<ProxyAnswer> {
  const { depth, position } = await queuePosition(deps.db, { id, workspaceId: target.id });
  const isWaiting = depth > 0;
  return {
    kind: "json",
    status: 202,
    headers: { "x-molecule-activity-id": id },
    body: {
      queued: true,
      queue_id: id,
      queue_depth: depth,
      position,
      status: "queued",
      method: envelope.method,
      message: waitingSentence(target, isWaiting),
    },
  };
}
