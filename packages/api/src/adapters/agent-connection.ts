import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import {
  type AgentAddress,
  type ConnectionOptions,
  causeOf,
  type Line,
  type NeverSentCause,
  openLine,
} from "./agent-line.ts";

/** Bytes of a streamed body that wait for the agent to take them; by default it would be 16 chunks. */
const BODY_BUFFER_BYTES = 65_536;

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

/**
 * Sends one request. A connection that was used a moment ago is used again (`agent-line.ts`); whether
 * anything was sent is known for certain either way, as it is told right before the first byte.
 * Redirects are not followed. Never rejects.
 */
export async function requestAgent(
  options: ConnectionOptions,
  request: AgentRequest,
): Promise<AgentResult> {
  if (request.signal.aborted) return { kind: "never_sent", cause: "cancelled" };
  const line = openLine(options, request.address);
  const exchange = new Exchange(request, line);
  const cancel = () => exchange.cancel();
  request.signal.addEventListener("abort", cancel, { once: true });
  const result = await exchange.result;
  request.signal.removeEventListener("abort", cancel);
  if (result.kind === "answered") line.keep();
  else line.end();
  return result;
}

/** One request on its way, and its answer as it arrives: bounded, and handed on chunk by chunk where somebody listens. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly result: Promise<AgentResult>;
  readonly #request: AgentRequest;
  readonly #line: Line;
  readonly #chunks: Uint8Array[] = [];
  #resolve: (result: AgentResult) => void = () => undefined;
  #controller: Dispatcher.DispatchController | null = null;
  #head: AgentHead | null = null;
  #size = 0;
  #isTooLarge = false;
  #isCancelled = false;
  /** Resolves when the listener has taken what came so far. */
  #taken: Promise<void> = Promise.resolve();

  constructor(request: AgentRequest, line: Line) {
    this.#request = request;
    this.#line = line;
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const { url } = request.address;
    line.client.dispatch(
      {
        method: request.method,
        path: request.path ?? `${url.pathname}${url.search}`,
        headers: request.headers,
        body:
          request.body === null || typeof request.body === "string"
            ? request.body
            : Readable.from(request.body, { objectMode: false, highWaterMark: BODY_BUFFER_BYTES }),
      },
      this,
    );
  }

  /** Breaks it off, at whatever point it is. */
  cancel(): void {
    this.#isCancelled = true;
    if (this.#controller !== null) this.#controller.abort(new Error("cancelled"));
    else this.#fail(new Error("cancelled"));
  }

  /** The connection is there and the first byte is about to go. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isCancelled) controller.abort(new Error("cancelled"));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    const contentType = firstOf(headers["content-type"]);
    this.#head = { status, contentType, headers: flat(headers) };
    this.#request.onHead?.(this.#head);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // A parser that goes on after a pause may hand out nothing; pausing for that would never end.
    if (chunk.byteLength === 0) return;
    this.#size += chunk.byteLength;
    if (this.#size > this.#request.maxResponseBytes) {
      this.#isTooLarge = true;
      controller.abort(new Error("the answer is too large"));
      return;
    }
    const { onChunk } = this.#request;
    if (onChunk === undefined) {
      this.#chunks.push(chunk);
      return;
    }
    const taking = onChunk(chunk);
    if (taking === undefined) return;
    controller.pause();
    this.#taken = taking.then(
      () => controller.resume(),
      (error: unknown) => controller.abort(error instanceof Error ? error : new Error("not taken")),
    );
  }

  onResponseEnd(): void {
    void this.#taken.then(() => this.#end());
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  #end(): void {
    if (this.#head === null) this.#fail(new Error("no head"));
    else this.#resolve({ kind: "answered", head: this.#head, body: Buffer.concat(this.#chunks) });
  }

  #fail(error: Error): void {
    if (this.#controller === null) {
      const cause = this.#isCancelled ? "cancelled" : (this.#line.refusal ?? causeOf(error));
      this.#resolve({ kind: "never_sent", cause });
      return;
    }
    const cause = this.#isTooLarge ? "too_large" : this.#isCancelled ? "cancelled" : "reset";
    this.#resolve({ kind: "broken", cause, head: this.#head, body: Buffer.concat(this.#chunks) });
  }
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
