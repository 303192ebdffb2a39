import { Readable } from "node:stream";
import { buildConnector, Client } from "undici";
import { type AddressRefusal, chooseAddress, isDialable, type Resolve } from "./public-address.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** Bytes of a streamed body that wait for the agent to take them; by default it would be 16 chunks. */
const BODY_BUFFER_BYTES = 65_536;

/** Where an agent listens and how it may be dialled. */
export interface AgentAddress {
  readonly url: URL;
  /**
   * `recorded`: the worker recorded it for the current attempt. `registered`: an agent chose it, so
   * every address of its name is checked when the connection is made.
   */
  readonly trust: "recorded" | "registered";
}

/** One request to an agent. */
export interface AgentRequest {
  readonly address: AgentAddress;
  readonly method: "GET" | "POST";
  /** Path and query; absent for the url's own. */
  readonly path?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | AsyncIterable<Uint8Array> | null;
  readonly signal: AbortSignal;
  /** Bytes of the answer after which it is cut off. */
  readonly maxResponseBytes: number;
  /** Status and headers have come; called at most once, before any chunk. */
  readonly onHead?: ((head: AgentHead) => void) | undefined;
  /** Bytes as they come. Without it they are collected in the result. */
  readonly onChunk?: ((chunk: Uint8Array) => void | Promise<void>) | undefined;
}

/** The beginning of an answer. */
export interface AgentHead {
  readonly status: number;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Why nothing was sent. */
export type NeverSentCause = AddressRefusal | "refused" | "timeout" | "tls" | "cancelled";

/** How a request ended. Only `never_sent` is certain to have had no effect. */
export type AgentResult =
  | { readonly kind: "never_sent"; readonly cause: NeverSentCause }
  | { readonly kind: "answered"; readonly head: AgentHead; readonly body: Uint8Array }
  /** The connection existed, so the agent may have processed the request. */
  | {
      readonly kind: "broken";
      readonly cause: "reset" | "cancelled" | "too_large";
      /** Null when not even the head came. */
      readonly head: AgentHead | null;
      readonly body: Uint8Array;
    };

/** What connections are made with. */
export interface ConnectionOptions {
  readonly allowCidrs: readonly string[];
  readonly resolve: Resolve;
}

/**
 * Sends one request on a connection of its own, never a reused one: a kept-alive connection that the
 * other side closes meanwhile would make "never sent" and "may have been processed" look alike.
 * Redirects are not followed. Never rejects.
 */
export async function requestAgent(
  options: ConnectionOptions,
  request: AgentRequest,
): Promise<AgentResult> {
  const dial = new Dial(options, request.address);
  const client = new Client(request.address.url.origin, {
    connect: dial.connector,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 1,
  });
  const answer = new Answer(request);
  let isOver = false;
  try {
    const { url } = request.address;
    const response = await client.request({
      method: request.method,
      path: request.path ?? `${url.pathname}${url.search}`,
      headers: request.headers,
      body:
        request.body === null || typeof request.body === "string"
          ? request.body
          : Readable.from(request.body, { objectMode: false, highWaterMark: BODY_BUFFER_BYTES }),
      signal: request.signal,
      // “Connection: close”: the end of the answer ends the connection, on both sides.
      reset: true,
    });
    answer.begin({
      status: response.statusCode,
      contentType: firstOf(response.headers["content-type"]),
      headers: flat(response.headers),
    });
    for await (const chunk of response.body) await answer.take(chunk);
    isOver = true;
    return answer.complete();
  } catch (error) {
    if (!dial.isConnected) {
      const cause = request.signal.aborted ? "cancelled" : (dial.failure ?? causeOf(error));
      return { kind: "never_sent", cause };
    }
    return answer.broken(request.signal.aborted ? "cancelled" : "reset");
  } finally {
    if (!isOver) await client.destroy().catch(() => undefined);
  }
}

/** Keeps TLS sessions only: resuming one saves a round trip, and is a connection of its own. */
const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS });

/** One connection attempt; remembers whether it came about. */
class Dial {
  isConnected = false;
  failure: NeverSentCause | null = null;
  readonly connector: buildConnector.connector;

  constructor(options: ConnectionOptions, address: AgentAddress) {
    this.connector = (target, callback) => {
      const done: buildConnector.Callback = (...result) => {
        const [error, socket] = result;
        if (error !== null) return callback(error, null);
        if (address.trust === "registered" && !this.#isAllowed(socket.remoteAddress, options)) {
          socket.destroy();
          return callback(new Error("the address is not public"), null);
        }
        this.isConnected = true;
        return callback(null, socket);
      };
      if (address.trust === "recorded") {
        connect(target, done);
        return;
      }
      chooseAddress(target.hostname, options).then(
        (chosen) => {
          if ("refusal" in chosen) {
            this.failure = chosen.refusal;
            callback(new Error("the address is refused"), null);
            return;
          }
          // The checked address is dialled, not the name again: a second answer could differ.
          const servername = target.servername ?? target.hostname;
          connect({ ...target, hostname: chosen.address, servername }, done);
        },
        (error: unknown) => callback(error instanceof Error ? error : new Error("lookup"), null),
      );
    };
  }

  #isAllowed(remote: string | undefined, options: ConnectionOptions): boolean {
    if (remote !== undefined && isDialable(remote, options.allowCidrs)) return true;
    this.failure = "not_public";
    return false;
  }
}

/** An answer as it arrives: bounded, and handed on chunk by chunk where somebody listens. */
class Answer {
  readonly #request: AgentRequest;
  #head: AgentHead | null = null;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  #isTooLarge = false;

  constructor(request: AgentRequest) {
    this.#request = request;
  }

  begin(head: AgentHead): void {
    this.#head = head;
    this.#request.onHead?.(head);
  }

  async take(chunk: Uint8Array): Promise<void> {
    this.#size += chunk.byteLength;
    if (this.#size > this.#request.maxResponseBytes) {
      this.#isTooLarge = true;
      throw new Error("the answer is too large");
    }
    if (this.#request.onChunk === undefined) this.#chunks.push(chunk);
    else await this.#request.onChunk(chunk);
  }

  complete(): AgentResult {
    if (this.#head === null) return this.broken("reset");
    return { kind: "answered", head: this.#head, body: this.#body() };
  }

  broken(cause: "reset" | "cancelled"): AgentResult {
    const why = this.#isTooLarge ? "too_large" : cause;
    return { kind: "broken", cause: why, head: this.#head, body: this.#body() };
  }

  #body(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}

function causeOf(error: unknown): NeverSentCause {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "UND_ERR_CONNECT_TIMEOUT" || code === "ETIMEDOUT") return "timeout";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "unresolvable";
  if (code.startsWith("ERR_TLS") || code.startsWith("ERR_SSL") || code.includes("CERT"))
    return "tls";
  return "refused";
}

function firstOf(header: string | string[] | undefined): string {
  return (Array.isArray(header) ? header[0] : header) ?? "";
}

function flat(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
    ),
  );
}
