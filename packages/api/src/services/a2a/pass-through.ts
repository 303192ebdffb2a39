import type { Target } from "@molecule/db/registry/targets";
import { readInboundSecret } from "@molecule/db/secrets/inbound-secret";
import { MAX_AGENT_RESPONSE_BYTES } from "@molecule/domain/delivery";
import { DomainError } from "@molecule/domain/errors";
import { type Envelope, versionHeader } from "../../a2a/envelope.ts";
import { type AgentHead, type AgentResult, requestAgent } from "../../adapters/agent-connection.ts";
import type { AgentAddress } from "../../adapters/agent-line.ts";
import { resolveAll } from "../../adapters/public-address.ts";
import type { Deps } from "../../deps.ts";
import { type ProxyAnswer, StreamAnswer } from "./proxy-answer.ts";

const CALL_TIMEOUT_MS = 60_000;
const STREAM_TIMEOUT_MS = 1_800_000;

/** A call without a message: about a task, or of a method of the agent's own. */
export interface PassedCall {
  readonly envelope: Pick<Envelope, "body" | "wantsStream">;
  readonly target: Target;
  readonly address: AgentAddress | null;
}

/**
 * Asks the agent and answers with its answer. Nothing is written down: such calls can be repeated.
 * @throws DomainError `workspace_unreachable`, `upstream_failed`.
 */
export async function passThrough(deps: Deps, call: PassedCall): Promise<ProxyAnswer> {
  const { target, address, envelope } = call;
  if (address === null) {
    throw new DomainError("workspace_unreachable", `${target.name} is not there.`);
  }
  const secret = await readInboundSecret(deps.db, deps.cipher, target.id);
  const stream = envelope.wantsStream ? new StreamAnswer(null, envelope.body.id) : null;
  const body = new BodyOrStream(stream);
  const request = requestAgent(
    { allowCidrs: deps.platform.allowCidrs, resolve: resolveAll },
    {
      address,
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: envelope.wantsStream ? "text/event-stream, application/json" : "application/json",
        ...(secret === null ? {} : { authorization: `Bearer ${secret}` }),
        ...versionHeader(envelope.body.method),
      },
      body: JSON.stringify(envelope.body),
      signal: AbortSignal.timeout(envelope.wantsStream ? STREAM_TIMEOUT_MS : CALL_TIMEOUT_MS),
      maxResponseBytes: MAX_AGENT_RESPONSE_BYTES,
      onHead: (head) => body.begin(head),
      onChunk: (chunk) => body.take(chunk),
    },
  );
  const answer = request.then((result) => readAnswer(target, result, body));
  if (stream === null) return await answer;
  stream.follow(
    answer.then(
      () => ({ kind: "answered", status: 200, body: null }),
      () => ({ kind: "failed", status: 502, sentence: "The agent stopped answering." }),
    ),
  );
  return await Promise.race([stream.begun, answer]);
}

/** Sorts bytes: a stream goes on to the sender, anything else is collected. */
class BodyOrStream {
  readonly chunks: Uint8Array[] = [];
  readonly #stream: StreamAnswer | null;
  #isStream = false;

  constructor(stream: StreamAnswer | null) {
    this.#stream = stream;
  }

  begin(head: AgentHead): void {
    this.#isStream = head.status < 300 && head.contentType.startsWith("text/event-stream");
    if (this.#isStream) this.#stream?.listener.onStream();
  }

  take(chunk: Uint8Array): void {
    if (this.#isStream && this.#stream !== null) this.#stream.listener.onChunk(chunk);
    else this.chunks.push(chunk);
  }
}

function readAnswer(target: Target, result: AgentResult, body: BodyOrStream): ProxyAnswer {
  if (result.kind !== "answered") {
    throw new DomainError("upstream_failed", `${target.name} did not answer.`);
  }
  const { status } = result.head;
  if (status >= 300) {
    throw new DomainError("upstream_failed", `${target.name} refused the call (status ${status}).`);
  }
  try {
    const text = new TextDecoder().decode(Buffer.concat(body.chunks));
    return { kind: "json", status, body: JSON.parse(text === "" ? "null" : text) };
  } catch {
    throw new DomainError("upstream_failed", `${target.name} answered with something unreadable.`, {
      details: { delivery_confirmed: true },
    });
  }
}
