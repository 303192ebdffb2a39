import type { Database } from "@molecule/db/database";
import { hintProbe } from "@molecule/db/events/append-event";
import {
  abandonItem,
  recordTaskId,
  returnInterrupted,
  returnToQueue,
} from "@molecule/db/queue/a2a-queue";
import { type DeliveryEnd, endDelivery } from "@molecule/db/queue/end-delivery";
import { endOrdinary, isOrdinary } from "@molecule/db/queue/ordinary-message";
import { noteFirstMessage } from "@molecule/db/registry/connect-steps";
import { loadTarget } from "@molecule/db/registry/targets";
import type { SecretCipher } from "@molecule/db/secrets/cipher";
import { openInboundSecret } from "@molecule/db/secrets/inbound-secret";
import {
  AGENT_CALL_CEILING_MS,
  brokenOffSentence,
  MAX_AGENT_RESPONSE_BYTES,
  STOPPED_SENTENCE,
} from "@molecule/domain/delivery";
import { type AgentHead, type AgentResult, requestAgent } from "../adapters/agent-connection.ts";
import type { NeverSentCause } from "../adapters/agent-line.ts";
import { resolveAll } from "../adapters/public-address.ts";
import type { Log } from "../deps.ts";
import { fields, readReply, taskState } from "./agent-reply.ts";
import type { DeliveryJob, DeliveryOutcome } from "./delivery-job.ts";
import { versionHeader } from "./envelope.ts";
import { IdleWatch } from "./idle-watch.ts";
import { patiently } from "./patiently.ts";
import { StreamFold } from "./stream-fold.ts";

/** What deliveries are made with. */
export interface DeliveryTools {
  readonly db: Database;
  readonly log: Log;
  readonly cipher: SecretCipher;
  readonly allowCidrs: readonly string[];
  readonly idleTimeoutMs: number;
  /** The lease holder's name: this process. */
  readonly owner: string;
}

/** Pause before a message that could not be sent is tried again, in ms. */
const RETRY_PAUSE_MS = 2_000;

/** Sends one message, stores what came of it, and tells. Rejects only when the store is down. */
export async function deliver(
  tools: DeliveryTools,
  job: DeliveryJob,
  stop: AbortSignal,
): Promise<DeliveryOutcome> {
  const held: Delivering = { ...tools, stop };
  const startedAt = performance.now();
  const call = await callAgent(held, job);
  const durationMs = Math.round(performance.now() - startedAt);
  const { result, fold } = call;
  if (call.whySilent === null && !stop.aborted) askForProbe(held, job, result);
  if (result.kind === "never_sent") return await notSent(held, job, result.cause);
  if (result.kind === "broken") {
    if (stop.aborted && call.whySilent === null) return await leaveBehind(held, job);
    return await brokenOff(held, job, { ...call, result, durationMs });
  }
  if (result.head.status >= 300) return await refusedByAgent(held, job, result, durationMs);
  const body = fold === null ? parseJson(result.body) : fold.answer(job.envelope.id);
  const isWhole = fold === null ? body !== undefined : fold.isComplete && body !== null;
  if (!isWhole) {
    const broken = {
      kind: "broken",
      cause: "reset",
      head: result.head,
      body: result.body,
    } as const;
    return await brokenOff(held, job, { ...call, result: broken, durationMs });
  }
  return await answered(held, job, { status: result.head.status, body, durationMs });
}

async function answered(
  tools: Delivering,
  job: DeliveryJob,
  answer: { readonly status: number; readonly body: unknown; readonly durationMs: number },
): Promise<DeliveryOutcome> {
  const { status, body, durationMs } = answer;
  const { isError, text, toolTrace } = readReply(body);
  const isCancelled = taskState(fields(fields(fields(body).result).status).state) === "canceled";
  if (isCancelled && (await isReturned(tools, job))) return WAITS_AGAIN;
  const sentence = isCancelled
    ? ((await endedMeanwhile(tools, job)) ?? STOPPED_SENTENCE)
    : text.slice(0, 4096);
  const isLineEmpty = await store(tools, job, {
    status: isError || isCancelled ? "error" : "ok",
    responseBody: body,
    replyText: text,
    toolTrace,
    errorDetail: isError || isCancelled ? sentence || "The agent reported an error." : null,
    durationMs,
    wasNeverSent: false,
  });
  const { backend, hasSpoken } = job.target;
  if (!isError && backend === "external" && !hasSpoken) await noteAnswer(tools, job);
  return { kind: "answered", status, body, isLineEmpty };
}

/** The answer is stored whatever becomes of this; without it the next answer counts. */
async function noteAnswer({ db, log }: Delivering, { target }: DeliveryJob): Promise<void> {
  await noteFirstMessage(db, target.id).catch((err: unknown) =>
    log.warn({ err, workspace: target.id }, "a first message was not noted"),
  );
}

/** Nobody there, or gone in the middle: whether its instance still runs is for a probe to see. */
function askForProbe(tools: Delivering, job: DeliveryJob, result: AgentResult): void {
  if (job.target.backend === "external" || result.kind === "answered") return;
  // Not awaited, and no harm without it: instances are probed every few seconds.
  hintProbe(tools.db).catch(() => undefined);
}

/**
 * Why the agent broke a turn off that nobody stopped: it was restarted, or put to rest. Null when it
 * was not, or when that cannot be found out now.
 */
async function endedMeanwhile(tools: Delivering, job: DeliveryJob): Promise<string | null> {
  if (job.target.backend === "external") return null;
  const now = await loadTarget(tools.db, job.target.id).catch(() => null);
  if (now === null) return null;
  if (now.intent !== "run") return brokenOffSentence(now.name, now.intent);
  const isRestarted = now.currentAttempt > job.target.currentAttempt;
  return isRestarted ? brokenOffSentence(now.name, "run") : null;
}

const WAITS_AGAIN = {
  kind: "queued",
  sentence: "A restart broke it off; the agent gets it once more.",
} as const satisfies DeliveryOutcome;

/** Whether a restart broke off what had waited in the queue, and it waits there again. SPEC: P11. */
async function isReturned(tools: Delivering, job: DeliveryJob): Promise<boolean> {
  if (job.isFromQueue !== true || job.target.backend === "external") return false;
  const item = { id: job.id, owner: tools.owner };
  const how = { attemptNo: job.target.currentAttempt, why: WAITS_AGAIN.sentence };
  return await patiently(tools.stop, () =>
    tools.db.transaction((tx) => returnInterrupted(tx, item, how)),
  );
}

/** What one delivery is made with. */
interface Delivering extends DeliveryTools {
  /** This process ends. */
  readonly stop: AbortSignal;
}

interface Call {
  readonly result: AgentResult;
  /** Null when the answer is not a stream. */
  readonly fold: StreamFold | null;
  readonly whySilent: "idle" | "ceiling" | null;
}

async function callAgent(tools: Delivering, job: DeliveryJob): Promise<Call> {
  const { id, inboundSecret } = job.target;
  const secret = openInboundSecret(tools.cipher, id, inboundSecret);
  const ending = new AbortController();
  let whySilent: Call["whySilent"] = null;
  const giveUp = (why: "idle" | "ceiling") => () => {
    whySilent ??= why;
    ending.abort();
  };
  const watch = new IdleWatch({
    db: tools.db,
    workspaceId: job.target.id,
    idleMs: (job.target.idleTimeoutSeconds ?? 0) * 1000 || tools.idleTimeoutMs,
    lastHeartbeatAt: job.target.lastHeartbeatAt,
    onSilence: giveUp("idle"),
  });
  const ceiling =
    job.callerId === null ? null : setTimeout(giveUp("ceiling"), AGENT_CALL_CEILING_MS);
  const answer = new IncomingAnswer(tools, job, watch);
  const stop = () => ending.abort();
  tools.stop.addEventListener("abort", stop, { once: true });
  if (tools.stop.aborted) stop();
  try {
    const result = await requestAgent(
      { allowCidrs: tools.allowCidrs, resolve: resolveAll },
      {
        address: job.address,
        method: "POST",
        headers: headersOf(job, secret),
        body: JSON.stringify(job.envelope),
        signal: ending.signal,
        maxResponseBytes: MAX_AGENT_RESPONSE_BYTES,
        onHead: (head) => answer.begin(head),
        onChunk: (chunk) => answer.take(chunk),
      },
    );
    return { result: answer.withBody(result), fold: answer.fold, whySilent };
  } finally {
    tools.stop.removeEventListener("abort", stop);
    watch.stop();
    if (ceiling !== null) clearTimeout(ceiling);
  }
}

/** The answer as it comes: folded and handed on when it is a stream, collected when it is not. */
class IncomingAnswer {
  fold: StreamFold | null = null;
  readonly #tools: Delivering;
  readonly #job: DeliveryJob;
  readonly #watch: IdleWatch;
  readonly #chunks: Uint8Array[] = [];
  #toldTaskId: string | null = null;

  constructor(tools: Delivering, job: DeliveryJob, watch: IdleWatch) {
    this.#tools = tools;
    this.#job = job;
    this.#watch = watch;
  }

  begin(head: AgentHead): void {
    this.#watch.touch();
    const isStream = head.status < 300 && head.contentType.startsWith("text/event-stream");
    if (!isStream) return;
    this.fold = new StreamFold();
    this.#job.listener?.onStream();
  }

  take(chunk: Uint8Array): void {
    this.#watch.touch();
    if (this.fold === null) {
      this.#chunks.push(chunk);
      return;
    }
    this.#job.listener?.onChunk(chunk);
    this.fold.feed(chunk);
    const { taskId } = this.fold;
    if (taskId === null || taskId === this.#toldTaskId) return;
    this.#toldTaskId = taskId;
    // Not awaited: the stream must not wait for it, and without it only recovery is lost.
    recordTaskId(this.#tools.db, this.#job.id, taskId).catch((err: unknown) => {
      this.#tools.log.warn({ err, activity: this.#job.id }, "task id not recorded");
    });
  }

  withBody(result: AgentResult): AgentResult {
    return result.kind === "never_sent" ? result : { ...result, body: Buffer.concat(this.#chunks) };
  }
}

function headersOf(job: DeliveryJob, secret: string | null): Record<string, string> {
  return {
    "content-type": "application/json",
    accept: job.wantsStream ? "text/event-stream, application/json" : "application/json",
    ...(secret === null ? {} : { authorization: `Bearer ${secret}` }),
    ...(job.callerId === null ? {} : { "x-workspace-id": job.callerId }),
    ...versionHeader(job.envelope.method),
  };
}

const NEVER_SENT: Record<NeverSentCause, string> = {
  not_public: "The agent's address is not a public one, so it was not called.",
  unresolvable: "The name in the agent's address does not resolve.",
  malformed: "The agent's address cannot be used.",
  refused: "The agent cannot be reached.",
  timeout: "The agent did not accept a connection in time.",
  tls: "The agent's certificate was not accepted.",
  cancelled: "The platform is stopping.",
};

async function notSent(
  tools: Delivering,
  job: DeliveryJob,
  cause: NeverSentCause,
): Promise<DeliveryOutcome> {
  const sentence = NEVER_SENT[cause];
  const isManaged = job.target.backend !== "external";
  if (isManaged || cause === "cancelled") {
    const how = { afterMs: RETRY_PAUSE_MS, countsAsDelivery: cause !== "cancelled", why: sentence };
    const item = { id: job.id, owner: tools.owner };
    const returned = await patiently(tools.stop, () =>
      tools.db.transaction((tx) => returnToQueue(tx, item, how)),
    );
    if (returned !== "given_up") return { kind: "queued", sentence };
  }
  await store(tools, job, failedEnd({ sentence, durationMs: null, wasNeverSent: true }));
  return { kind: "failed", status: 502, sentence };
}

/** This process ends. The agent goes on, so the next process asks it for the answer. */
async function leaveBehind(tools: Delivering, job: DeliveryJob): Promise<DeliveryOutcome> {
  await abandonItem(tools.db, { id: job.id, owner: tools.owner });
  const sentence = "The platform is restarting; the answer will appear when it is back.";
  return { kind: "failed", status: 503, sentence, deliveryConfirmed: true };
}

interface BrokenCall extends Call {
  readonly result: Extract<AgentResult, { kind: "broken" }>;
  readonly durationMs: number;
}

/** The agent may have done the work, so the message is not sent again by itself but for P11. */
async function brokenOff(
  tools: Delivering,
  job: DeliveryJob,
  call: BrokenCall,
): Promise<DeliveryOutcome> {
  const sentence = brokenSentence(call);
  if (job.isRepeatable === true) {
    const how = { afterMs: RETRY_PAUSE_MS, countsAsDelivery: true, why: sentence };
    const item = { id: job.id, owner: tools.owner };
    const returned = await patiently(tools.stop, () =>
      tools.db.transaction((tx) => returnToQueue(tx, item, how)),
    );
    if (returned !== "given_up") return { kind: "queued", sentence };
  }
  if (await isReturned(tools, job)) return WAITS_AGAIN;
  const partial = call.fold?.answer(job.envelope.id) ?? null;
  await store(tools, job, {
    ...failedEnd({ sentence, durationMs: call.durationMs, wasNeverSent: false }),
    responseBody: partial,
  });
  const deliveryConfirmed = call.result.head !== null;
  return { kind: "failed", status: 502, sentence, deliveryConfirmed };
}

function brokenSentence(call: BrokenCall): string {
  if (call.whySilent === "idle") return "The agent was silent for too long; its answer is lost.";
  if (call.whySilent === "ceiling") return "The agent took longer than 30 minutes.";
  if (call.result.cause === "too_large") return "The agent's answer is larger than 10 MB.";
  return call.result.head === null
    ? "The connection to the agent broke before it answered. It may have done the work."
    : "The connection to the agent broke in the middle of its answer.";
}

async function refusedByAgent(
  tools: Delivering,
  job: DeliveryJob,
  result: Extract<AgentResult, { kind: "answered" }>,
  durationMs: number,
): Promise<DeliveryOutcome> {
  const { status } = result.head;
  const body = parseJson(result.body) ?? null;
  const own = fields(body).error;
  const message = typeof own === "string" ? own : fields(own).message;
  const sentence =
    typeof message === "string" && message !== ""
      ? message.slice(0, 2000)
      : status < 400
        ? "The agent answered with a redirect, which is not followed."
        : `The agent refused the message (status ${status}).`;
  await store(tools, job, {
    ...failedEnd({ sentence, durationMs, wasNeverSent: false }),
    responseBody: body,
  });
  return { kind: "failed", status: status >= 400 && status < 600 ? status : 502, sentence };
}

type StoredEnd = Omit<DeliveryEnd, "isForPerson">;

function failedEnd(end: {
  readonly sentence: string;
  readonly durationMs: number | null;
  readonly wasNeverSent: boolean;
}): StoredEnd {
  return {
    status: "error",
    responseBody: null,
    toolTrace: null,
    errorDetail: end.sentence,
    durationMs: end.durationMs,
    wasNeverSent: end.wasNeverSent,
  };
}

/**
 * Whoever has the end of a message stores it, also when another process took the item over. True when
 * certainly nobody waits for the agent then.
 */
async function store(tools: Delivering, job: DeliveryJob, end: StoredEnd): Promise<boolean> {
  const whole = { ...end, isForPerson: job.callerId === null };
  if (job.isFromQueue !== true && isOrdinary({ ...job, messageId: messageIdOf(job) })) {
    const { hasWaiting } = await patiently(tools.stop, () => endOrdinary(tools.db, job.id, whole));
    return !hasWaiting;
  }
  const item = { id: job.id, owner: null };
  await patiently(tools.stop, () => tools.db.transaction((tx) => endDelivery(tx, item, whole)));
  return false;
}

function messageIdOf({ envelope }: DeliveryJob): string {
  const { messageId } = fields(fields(envelope.params).message);
  return typeof messageId === "string" ? messageId : "";
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
